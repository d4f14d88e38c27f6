// The exception wall, and how errors become lines.
#include "guard.hpp"

#include <catch2/catch.hpp>
#include <string>

using tern::Error;
using tern::Result;
using tern::Status;
using tern::capi::guard;

namespace {
tern_status fail(const Error& error) {
  return guard([&]() -> Result<void> { return error; });
}
}  // namespace

TEST_CASE("a body that succeeds gives ok, one that fails its status") {
  CHECK(guard([]() -> Result<void> { return {}; }) == TERN_OK);
  CHECK(fail({Status::context_full, "full"}) == TERN_CONTEXT_FULL);
}

#if defined(__cpp_exceptions)
TEST_CASE("whatever is thrown becomes a status") {
  CHECK(guard([]() -> Result<void> { throw std::bad_alloc(); }) == TERN_OUT_OF_MEMORY);
  CHECK(guard([]() -> Result<void> { throw std::length_error("x"); }) == TERN_OUT_OF_MEMORY);
  CHECK(guard([]() -> Result<void> { throw std::runtime_error("x"); }) == TERN_INTERNAL);
  CHECK(guard([]() -> Result<void> { throw 7; }) == TERN_INTERNAL);
  CHECK(std::string(tern_last_error_message()) == "an unexpected exception");
}
#endif

TEST_CASE("an error is told in one line: what, about what, and where") {
  fail({Status::missing, "no key"});
  CHECK(std::string(tern_last_error_message()) == "no key");
  CHECK(tern_last_error_where() == TERN_NOWHERE);
  fail({Status::missing, "no key", 0});
  CHECK(std::string(tern_last_error_message()) == "no key at byte 0");
  CHECK(tern_last_error_where() == 0);
  fail({Status::missing, "no key", "a.b"});
  CHECK(std::string(tern_last_error_message()) == "a.b: no key");
  CHECK(std::string(tern_last_error_subject()) == "a.b");
  fail({Status::missing, "no key", "a\nb", 18446744073709551614u});
  CHECK(std::string(tern_last_error_message()) == "a?b: no key at byte 18446744073709551614");
}

TEST_CASE("an error that is too long is cut, not overrun") {
  const std::string what(1000, 'w');
  fail({Status::missing, what.c_str(), std::string(1000, 's'), 123});
  CHECK(std::string(tern_last_error_message()) ==
        std::string(71, 's') + ": " + std::string(182, 'w'));
  CHECK(std::string(tern_last_error_subject()) == std::string(71, 's'));
}
