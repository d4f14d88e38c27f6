// The float environment guard: the default inside, the host's again afterwards.
#include "tern/platform/fp_environment.hpp"

#include <catch2/catch.hpp>

#include "platform/float_environment.hpp"

TEST_CASE("A guard sets the default environment and puts the host's back") {
  bool strange_before = false, inside = false, nested = false, again = false, strange_after = false;
  {
    const tern_test::StrangeEnvironment strange;
    strange_before = strange.holds();
    {
      const tern::FpEnvironmentGuard guard;
      inside = tern_test::has_default_environment();
      {
        const tern::FpEnvironmentGuard inner;
        nested = tern_test::has_default_environment();
      }
      again = tern_test::has_default_environment();
    }
    strange_after = strange.holds();
#if defined(__x86_64__) || defined(__aarch64__)
    strange_after =
        strange_after && !tern_test::keeps_subnormals() && !tern_test::rounds_to_nearest();
#endif
  }
  CHECK(strange_before);
  CHECK(inside);
  CHECK(nested);
  CHECK(again);
  CHECK(strange_after);
  CHECK(tern_test::has_default_environment());
}

TEST_CASE("A guard in the default environment changes nothing") {
  const uint64_t before = tern_test::control();
  {
    const tern::FpEnvironmentGuard guard;
    CHECK(tern_test::has_default_environment());
  }
  CHECK(tern_test::control() == before);
}
