#!/usr/bin/env bash
# Builds ui/dist when a source is newer than the last build.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

stamp=ui/dist/.built
if [ -f "$stamp" ] && [ -z "$(find ui -newer "$stamp" -type f -not -path 'ui/dist/*' -not -path 'ui/node_modules/*' -print -quit)" ]; then
  exit 0
fi
lock=ui/node_modules/.package-lock.json
if [ ! -f "$lock" ] || [ ui/package-lock.json -nt "$lock" ]; then
  (cd ui && npm ci --no-audit --no-fund --loglevel=error)
fi
(cd ui && npm run --silent build)
touch "$stamp"
