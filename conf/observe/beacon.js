// Times a small object from two sites and reports both, in milliseconds: the site that DNS gives this client, and another
// one. Each site needs a name of its own, which is not steered, with a small object that may be cached by nobody
// (Cache-Control: no-store; Access-Control-Allow-Origin: *); the report goes to beacon-nginx.conf. Run it some seconds after a page
// has loaded, for one client in a hundred or so.
const SITES = {"us-east-1": "https://use1.probe.example.com/x", "us-east-1-wl1-bos-wlz-1": "https://bos.probe.example.com/x"};
const COLLECTOR = "https://rtt.example.com/rtt";

async function timeOf(url) {
  await (await fetch(url, {cache: "no-store"})).text();   // opens the connection
  const began = performance.now();                        // then: one round trip, and what the server takes
  await fetch(url + "?" + Math.random(), {cache: "no-store"});
  return performance.now() - began;
}

async function beacon(names = Object.keys(SITES).sort(() => Math.random() - 0.5).slice(0, 2)) {
  for (const site of names) {
    const ms = await timeOf(SITES[site]).catch(() => 0);
    if (ms > 0) navigator.sendBeacon(`${COLLECTOR}?site=${site}&ms=${ms.toFixed(1)}`);
  }
}
