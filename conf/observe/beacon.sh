#!/bin/sh
# Times the TCP handshake with two sites and reports both to beacon-nginx.conf: beacon.sh COLLECTOR SITE=URL SITE=URL...
#   beacon.sh https://rtt.example.com/rtt us-east-1=https://use1.probe.example.com/x bos=https://bos.probe.example.com/x
# Run it on devices every hour or so; with more than two sites, two of them are drawn each time.
collector=${1:?usage: beacon.sh COLLECTOR SITE=URL...}
shift
for pair in "$@"; do
	printf '%s\n' "$pair"
done | awk -v seed="$(od -An -N4 -tu4 /dev/urandom)" 'BEGIN { srand(seed) } { print rand(), $0 }' | sort -n | head -n 2 |
while read -r _ pair; do
	site=${pair%%=*} url=${pair#*=}
	# When the connection was there, without the time that its name took.
	times=$(curl -s -o /dev/null --max-time 5 -w '%{time_namelookup} %{time_connect}' "$url") || continue
	ms=$(echo "$times" | awk '$2 > $1 { printf "%.1f", ($2 - $1) * 1000 }')
	[ -n "$ms" ] && curl -s -o /dev/null --max-time 5 -X POST "$collector?site=$site&ms=$ms"
done
