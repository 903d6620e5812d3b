// The lists; see migrations.h. A row that has been released is never changed. Every table has a `sum` (sum.h) over the
// rest of the row.
#include "state/migrations.h"

#define META "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL, sum INTEGER NOT NULL)" \
	" WITHOUT ROWID;"

static const char *const state_steps[] = {
	// An override of a whole site has the app "".
	META
	"CREATE TABLE override (kind INTEGER NOT NULL, site TEXT NOT NULL, app TEXT NOT NULL, reason TEXT,"
	" who TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, direction INTEGER NOT NULL, revision INTEGER NOT NULL,"
	" sum INTEGER NOT NULL, PRIMARY KEY (kind, site, app)) WITHOUT ROWID;",
	// The sums stay: rows_sum() looks at these only where one of them is set.
	"ALTER TABLE override ADD COLUMN behalf TEXT;"
	"ALTER TABLE override ADD COLUMN ender TEXT;"
	"ALTER TABLE override ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE override ADD COLUMN ramp INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE override ADD COLUMN whence INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE override ADD COLUMN gives_back INTEGER NOT NULL DEFAULT 0;",
	// Of adoptions, which have the site "".
	"ALTER TABLE override ADD COLUMN share INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE override ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;",
};

static const char *const health_steps[] = {
	META
	"CREATE TABLE health (app TEXT NOT NULL, site TEXT NOT NULL, word INTEGER NOT NULL, sum INTEGER NOT NULL,"
	" PRIMARY KEY (app, site)) WITHOUT ROWID;",
	"ALTER TABLE health ADD COLUMN since INTEGER NOT NULL DEFAULT 0;",
	// One row for each address of a target. `probed` is what `word` says, but for the bit that changes.
	"CREATE TABLE address (app TEXT NOT NULL, site TEXT NOT NULL, probed INTEGER NOT NULL, word INTEGER NOT NULL,"
	" since INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (app, site, probed)) WITHOUT ROWID;"
	"INSERT INTO address SELECT app, site, word >> 1, word, since, sum FROM health;"
	"DROP TABLE health;"
	"ALTER TABLE address RENAME TO health;",
	"CREATE TABLE alias (name TEXT NOT NULL PRIMARY KEY, addresses TEXT NOT NULL, ttl INTEGER NOT NULL,"
	" since INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;",
	"CREATE TABLE provided (owner TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, sum INTEGER NOT NULL,"
	" PRIMARY KEY (owner, key)) WITHOUT ROWID;",
};

const struct store_schema migrations_state = {state_steps, ARRAY_LEN(state_steps)};
const struct store_schema migrations_health = {health_steps, ARRAY_LEN(health_steps)};
