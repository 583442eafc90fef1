#!/usr/bin/env bash
# Runs a subcommand of narrows-bench against the release binaries.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
exec "$(bin_dir release)/narrows-bench" --bin-dir "$(bin_dir release)" "$@"
