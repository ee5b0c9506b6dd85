#!/bin/sh
# Temporal's own databases and schema in the PostgreSQL beside it. Repeating it changes nothing that is there.
set -eu

tool() {
    temporal-sql-tool --plugin postgres12 --ep postgresql -p 5432 -u "$POSTGRES_USER" --db "$@"
}

for part in temporal visibility; do
    database=temporal
    [ "$part" = visibility ] && database=temporal_visibility
    tool "$database" create
    tool "$database" setup-schema -v 0.0
    tool "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$part/versioned"
done
