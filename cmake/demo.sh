#!/bin/sh
# From a fresh Debian 12 machine to a story: installs a compiler and cmake if they are missing,
# builds the release preset and lets the model inside the program write.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

need_build_tools
need_file /usr/include/fmt/core.h libfmt-dev
need_file /usr/include/rapidjson/reader.h rapidjson-dev
need_file /usr/include/pcre2.h libpcre2-dev
install_missing
use_generator

echo "building tern (about a minute)"
configure_preset release
build_preset release

prompt="Once upon a time"
echo "build/release/tern run -p \"$prompt\" -n 120"
echo
printf '%s' "$prompt"
build/release/tern run -p "$prompt" -n 120
