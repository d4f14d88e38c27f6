# shellcheck shell=sh
# Sourced by the scripts beside it: installs what a fresh Debian machine lacks, and nothing
# else. Where there is no apt, it names what to install and stops.

missing_packages=

# need_command COMMAND PACKAGE: wants a command, wherever it comes from.
need_command() {
  command -v "$1" >/dev/null 2>&1 || missing_packages="$missing_packages $2"
}

# need_file FILE PACKAGE: wants a file, such as a header.
need_file() {
  [ -e "$1" ] || missing_packages="$missing_packages $2"
}

# need_build_tools: a C++20 compiler, cmake, and make or ninja.
need_build_tools() {
  need_command c++ g++
  need_command cmake cmake
  command -v ninja >/dev/null 2>&1 || need_command make make
}

# install_missing: installs what the calls above found missing, quietly.
install_missing() {
  [ -n "$missing_packages" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "please install:$missing_packages" >&2
    return 1
  fi
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "please run as root: apt-get install$missing_packages" >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "installing:$missing_packages"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 install $missing_packages >/dev/null
  missing_packages=
}

# use_generator: without make, CMake must be told of ninja.
use_generator() {
  if [ -z "${CMAKE_GENERATOR:-}" ] && ! command -v make >/dev/null 2>&1; then
    export CMAKE_GENERATOR=Ninja
  fi
}

# build_preset PRESET [argument of cmake --build...]: builds a configured preset; shows its output only
# when that fails.
build_preset() {
  preset=$1
  shift
  log=build/$preset/build.log
  if ! cmake --build --preset "$preset" --parallel "$(nproc)" "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "building preset $preset failed; all of its output is in $log" >&2
    return 1
  fi
}

# configure_preset PRESET [argument of cmake...]: the same for configuring.
configure_preset() {
  mkdir -p "build/$1"
  log=build/$1/configure.log
  preset=$1
  shift
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    echo "configuring preset $preset failed" >&2
    return 1
  fi
}
