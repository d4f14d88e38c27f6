// JSON documents: kinds, texts, duplicate names, what is refused, and memory from the hooks alone.
#include "tern/format/json.hpp"

#include <catch2/catch.hpp>

#include "support/counting_allocator.hpp"

namespace {

using namespace tern;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
JsonDocument parsed(std::string_view text) {
  auto document = JsonDocument::parse(bytes_of(text), default_allocator());
  REQUIRE(document.ok());
  return *std::move(document);
}
Error refused(std::string_view text) {
  const auto document = JsonDocument::parse(bytes_of(text), default_allocator());
  REQUIRE_FALSE(document.ok());
  return document.error();
}

TEST_CASE("values of every kind are read") {
  const JsonDocument document = parsed(
      R"( {"a": null, "b": true, "c": -7, "d": 0.5, "e": "x\u00e9\ud83d\ude00\n", "f": [1, [], {}]} )");
  const JsonValue root = document.root();
  REQUIRE(root.is_object());
  CHECK(root.size() == 6);
  CHECK(root.find("a").is_null());
  CHECK(root.find("b").as_bool() == true);
  CHECK(root.find("c").as_integer() == -7);
  CHECK(root.find("c").as_real() == -7.0);
  CHECK(root.find("d").as_real() == 0.5);
  CHECK_FALSE(root.find("d").as_integer());
  CHECK(root.find("e").as_text() == "x\xC3\xA9\xF0\x9F\x98\x80\n");
  CHECK(root.find("z").is_absent());
  CHECK(root.find("c").find("z").is_absent());
  CHECK_FALSE(root.find("b").as_text());
  size_t n = 0;
  for (const JsonValue element : root.find("f").elements()) {
    CHECK(element.size() == 0);
    CHECK(element.is_array() == (n == 1));
    CHECK(element.is_object() == (n == 2));
    ++n;
  }
  CHECK(n == 3);
}

TEST_CASE("of members with the same name the last one counts, and all are listed") {
  const JsonDocument document = parsed(R"({"a": {"deep": [1, 2]}, "b": 1, "a": "last"})");
  CHECK(document.root().find("a").as_text() == "last");
  std::string names;
  for (const JsonMember member : document.root().members()) names += member.name;
  CHECK(names == "aba");
}

TEST_CASE("a container is at its bracket, anything else ends at its place") {
  const JsonDocument document = parsed(R"( {"a":  {"b": [1]}, "c": "x" })");
  const JsonValue root = document.root();
  CHECK(root.where() == 1);
  CHECK(root.find("a").where() == 8);
  CHECK(root.find("a").find("b").where() == 14);
  CHECK(root.find("c").where() == 28);
}

TEST_CASE("zeros have any exponent, and small digits any number of zeros before them") {
  const JsonDocument document =
      parsed("[0e64, -0.00e99, 0.000000000000000000000000000000001e33, 0, -0]");
  auto it = document.root().elements().begin();
  CHECK((*it).as_real() == 0.0);
  CHECK((*++it).as_real() == 0.0);
  CHECK((*++it).as_real() == 1.0);
  CHECK((*++it).as_integer() == 0);
  CHECK((*++it).as_integer() == 0);
}

TEST_CASE("a number out of range says so") {
  CHECK(refused("[1e999]").what == std::string("a JSON number out of range"));
}

TEST_CASE("integers beyond 64 bits are real numbers") {
  const JsonDocument document = parsed("[9223372036854775807, 9223372036854775808, 1e300]");
  auto it = document.root().elements().begin();
  CHECK((*it).as_integer() == INT64_MAX);
  CHECK_FALSE((*++it).as_integer());
  CHECK((*it).as_real() == 9223372036854775808.0);
  CHECK((*++it).as_real() == 1e300);
}

TEST_CASE("what is not one whole JSON text is refused with the byte") {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\"}", "{} x", "[\"\xFF\"]", "nul",
                           "\"\\ud800\"", "[1e999]", "'a'"}) {
    INFO(text);
    const Error error = refused(text);
    CHECK(error.status == Status::malformed);
    CHECK(error.where <= std::string_view(text).size());
  }
  CHECK(refused("{} x").where == 3);
  CHECK(refused(std::string("[\"a\0b\"]", 7)).status == Status::malformed);
  CHECK(refused(std::string("{}\0 {}", 6)).status == Status::malformed);
}

TEST_CASE("nesting has a limit, not the stack") {
  const std::string deepest(kJsonMaxDepth, '[');
  CHECK(parsed(deepest + std::string(kJsonMaxDepth, ']')).root().is_array());
  CHECK(refused(std::string(1000000, '[')).what == std::string("JSON nested too deeply"));
}

TEST_CASE("all memory comes from the hooks, and running out of it is a status") {
  const std::string text = R"({"name": ["some text", 1, 2.5, {"inner": [true, false, null]}]})";
  tern_test::CountingAllocator plenty;
  REQUIRE(JsonDocument::parse(bytes_of(text), plenty.hooks()).ok());
  CHECK(plenty.calls > 2);
  CHECK(plenty.live == 0);
#if defined(__cpp_exceptions)  // without them, running out of small memory is fatal
  for (size_t budget = 0; budget < plenty.peak; budget += 8) {
    tern_test::CountingAllocator allocator;
    allocator.budget = budget;
    const auto document = JsonDocument::parse(bytes_of(text), allocator.hooks());
    REQUIRE_FALSE(document.ok());
    CHECK(document.error().status == Status::out_of_memory);
    CHECK(allocator.live == 0);
  }
#endif
}

}  // namespace
