// The entry point that every Catch2 executable shares.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
