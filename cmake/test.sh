#!/bin/sh
# Every test on a fresh Debian 12 machine: installs what is missing, builds the dev
# preset and runs ctest, whose closing lines are the last of the output.
#
# With CI or TERN_REQUIRE_SHARED set (to anything but 0), tests whose fixtures are absent fail instead
# of being skipped.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

need_build_tools
need_file /usr/include/catch2/catch.hpp catch2
need_file /usr/include/eigen3/Eigen/Core libeigen3-dev
need_file /usr/include/fmt/core.h libfmt-dev
need_file /usr/include/rapidjson/reader.h rapidjson-dev
need_file /usr/include/pcre2.h libpcre2-dev
need_command pkg-config pkg-config
need_command abidiff abigail-tools
need_command node nodejs
need_command npm npm
need_command python3 python3
need_file /usr/lib/python3/dist-packages/pip python3-pip
need_file /usr/share/i18n/locales/de_DE locales
need_file /usr/share/unicode/UnicodeData.txt unicode-data
install_missing
use_generator

require_shared=OFF
case "${TERN_REQUIRE_SHARED:-${CI:-0}}" in
  0 | false | OFF) ;;
  *) require_shared=ON ;;
esac

echo "building tern and its tests (a few minutes)"
configure_preset dev -DTERN_REQUIRE_SHARED=$require_shared -DTERN_NPM_TESTS=ON
build_preset dev
# What takes minutes and gigabytes has a label of its own: ctest --preset dev -L slow.
exec ctest --preset dev --parallel 2 -LE '^slow$'
