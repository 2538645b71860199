#!/usr/bin/env bash
# Writes the generated documents anew: what the program itself says of its files.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
program=${SIGHTLINE_PROGRAM:-build/release/sightline}
mkdir -p docs/reference
"$program" pipeline schema > docs/reference/pipeline.schema.json
"$program" pipeline schema --card > docs/reference/model-card.schema.json
"$program" pipeline reference > docs/reference/pipeline.md
"$program" pipeline reference --card > docs/reference/model-card.md
"$program" serve --schema > docs/reference/node.schema.json
"$program" serve --reference > docs/node.md
echo "docs/reference, docs/node.md: written"
