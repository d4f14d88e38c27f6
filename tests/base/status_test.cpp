// Status, errors and results: pinned numbers, propagation, values that only move.
#include "tern/base/status.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

using tern::Error;
using tern::Result;
using tern::Status;

namespace {

Result<int> parse(int value) {
  if (value < 0) return Error(Status::malformed, "negative", 12);
  return value;
}
Result<void> check(int value) {
  TERN_TRY(parse(value));
  return {};
}
Result<std::string> twice(int value) {
  TERN_TRY_ASSIGN(const int first, parse(value));
  TERN_TRY_ASSIGN(const int second, parse(value - 1));
  return std::to_string(first) + "," + std::to_string(second);
}
Result<std::unique_ptr<int>> boxed(int value) {
  TERN_TRY(check(value));
  return std::make_unique<int>(value);
}

}  // namespace

TEST_CASE("Status numbers are those of the C interface") {
  const std::pair<Status, int> pinned[] = {
      {Status::ok, 0},
      {Status::invalid_argument, 10},
      {Status::token_out_of_range, 11},
      {Status::buffer_too_small, 12},
      {Status::malformed, 20},
      {Status::truncated, 21},
      {Status::missing, 22},
      {Status::mismatch, 23},
      {Status::not_ternary, 24},
      {Status::unsupported, 30},
      {Status::unsupported_version, 31},
      {Status::unsupported_architecture, 32},
      {Status::unsupported_type, 33},
      {Status::unsupported_tokenizer, 34},
      {Status::isa_unavailable, 35},
      {Status::isa_unknown, 36},
      {Status::out_of_memory, 40},
      {Status::io_error, 41},
      {Status::not_found, 42},
      {Status::cancelled, 50},
      {Status::context_full, 51},
      {Status::busy, 52},
      {Status::non_finite, 53},
      {Status::internal, 90},
  };
  for (const auto& [status, number] : pinned) {
    CHECK(static_cast<int>(status) == number);
    CHECK(std::string(tern::status_name(status)) != "unknown status");
  }
  CHECK(std::string(tern::status_name(static_cast<Status>(7))) == "unknown status");
  CHECK(std::string(tern::status_name(Status::not_ternary)) == "not_ternary");
}

TEST_CASE("A result is a value or an error") {
  CHECK(*parse(3) == 3);
  CHECK(parse(3).status() == Status::ok);
  const auto failed = parse(-3);
  CHECK_FALSE(failed.ok());
  CHECK(failed.status() == Status::malformed);
  CHECK(std::string(failed.error().what) == "negative");
  CHECK(failed.error().where == 12);
  CHECK(failed.error().has_where());
}

TEST_CASE("TERN_TRY hands errors on unchanged") {
  CHECK(check(1).ok());
  CHECK(check(-1).error().where == 12);
  CHECK(*twice(5) == "5,4");
  CHECK(twice(0).status() == Status::malformed);
  CHECK(**boxed(9) == 9);
  CHECK(boxed(-9).status() == Status::malformed);
  std::unique_ptr<int> taken = *boxed(4);
  CHECK(*taken == 4);
}

TEST_CASE("An error keeps its subject on one line and cut to fit") {
  CHECK_FALSE(Error(Status::missing, "key").has_subject());
  CHECK_FALSE(Error(Status::missing, "key").has_where());
  const Error control(Status::missing, "key", std::string_view("a\nb\x7F\0c", 6), 7);
  CHECK(std::string(control.subject) == "a?b??c");
  CHECK(control.where == 7);
  const std::string name(500, 'x');
  const Error cut(Status::missing, "key", name);
  CHECK(std::string(cut.subject) == name.substr(0, Error::kSubjectBytes - 1));
}
