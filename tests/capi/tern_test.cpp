// The parts of the C ABI that need no handle: version, statuses, last errors, instruction sets.
#include <cstring>
#include <string>
#include <thread>

#include "capi_fixture.hpp"
#include "tern/base/status.hpp"
#include "tern/kernels/registry.hpp"

using capi_test::check_failed;

TEST_CASE("the library has the version of its header") {
  CHECK(tern_version_number() == TERN_VERSION_NUMBER);
  CHECK(std::string(tern_version_string()) == TERN_VERSION_STRING);
  CHECK(tern_abi_version() == TERN_ABI_VERSION);
}

TEST_CASE("statuses have the numbers and names of the C++ interface") {
  const struct {
    tern_status status;
    int32_t number;
    const char* name;
  } rows[] = {
      {TERN_OK, 0, "ok"},
      {TERN_INVALID_ARGUMENT, 10, "invalid_argument"},
      {TERN_TOKEN_OUT_OF_RANGE, 11, "token_out_of_range"},
      {TERN_BUFFER_TOO_SMALL, 12, "buffer_too_small"},
      {TERN_MALFORMED, 20, "malformed"},
      {TERN_TRUNCATED, 21, "truncated"},
      {TERN_MISSING, 22, "missing"},
      {TERN_MISMATCH, 23, "mismatch"},
      {TERN_NOT_TERNARY, 24, "not_ternary"},
      {TERN_UNSUPPORTED, 30, "unsupported"},
      {TERN_UNSUPPORTED_VERSION, 31, "unsupported_version"},
      {TERN_UNSUPPORTED_ARCHITECTURE, 32, "unsupported_architecture"},
      {TERN_UNSUPPORTED_TYPE, 33, "unsupported_type"},
      {TERN_UNSUPPORTED_TOKENIZER, 34, "unsupported_tokenizer"},
      {TERN_ISA_UNAVAILABLE, 35, "isa_unavailable"},
      {TERN_ISA_UNKNOWN, 36, "isa_unknown"},
      {TERN_OUT_OF_MEMORY, 40, "out_of_memory"},
      {TERN_IO_ERROR, 41, "io_error"},
      {TERN_NOT_FOUND, 42, "not_found"},
      {TERN_CANCELLED, 50, "cancelled"},
      {TERN_CONTEXT_FULL, 51, "context_full"},
      {TERN_BUSY, 52, "busy"},
      {TERN_NON_FINITE, 53, "non_finite"},
      {TERN_INTERNAL, 90, "internal"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(row.status == row.number);
    CHECK(std::string(tern_status_name(row.status)) == row.name);
  }
  // No number between them has a name that the table above lacks.
  size_t n_names = 0;
  for (tern_status status = -100; status <= 200; ++status) {
    n_names += std::string(tern_status_name(status)) != "unknown status" ? 1 : 0;
  }
  CHECK(n_names == std::size(rows));
}

#if !defined(TERN_NO_THREADS)
TEST_CASE("each thread has its own last error, none at first") {
  check_failed(tern_session_reset(nullptr), TERN_INVALID_ARGUMENT, "session: an argument is NULL");
  std::thread([] {
    CHECK(tern_last_error_status() == TERN_OK);
    CHECK(std::string(tern_last_error_message()).empty());
    CHECK(std::string(tern_last_error_subject()).empty());
    CHECK(tern_last_error_where() == TERN_NOWHERE);
    tern_model* model = nullptr;
    CHECK(tern_model_load_file("", 0, nullptr, &model) == TERN_NOT_FOUND);
  }).join();
  CHECK(tern_last_error_status() == TERN_INVALID_ARGUMENT);
  CHECK(std::string(tern_last_error_subject()) == "session");
}
#endif

TEST_CASE("a call that succeeds leaves the last error as it is") {
  const auto model = capi_test::load(capi_test::tiny_bytes());
  const auto session = capi_test::open_session(model);
  check_failed(tern_session_truncate(session.get(), 1), TERN_INVALID_ARGUMENT,
               "cannot truncate to a position beyond the end");
  REQUIRE(tern_session_truncate(session.get(), 0) == TERN_OK);
  CHECK(tern_last_error_status() == TERN_INVALID_ARGUMENT);
}

TEST_CASE("instruction sets are listed best first, scalar last and always available") {
  const size_t n = tern_isa_count();
  REQUIRE(n == tern::compiled_kernels().size());
  for (size_t i = 0; i < n; ++i) {
    const std::string name = tern_isa_name(i);
    INFO(name);
    CHECK(name == tern::compiled_kernels()[i]->isa);
    CHECK((tern_isa_is_available(i) == 1) == tern::select_kernels(name).ok());
  }
  CHECK(std::string(tern_isa_name(n - 1)) == "scalar");
  CHECK(tern_isa_is_available(n - 1) == 1);
  for (const size_t none : {n, n + 1, ~size_t{0}}) {
    CHECK(std::string(tern_isa_name(none)).empty());
    CHECK(tern_isa_is_available(none) == 0);
  }
}

TEST_CASE("initialising options zeroes all of them and sets their size") {
  const auto check = [](auto& options) {
    const auto size = static_cast<uint32_t>(sizeof(options));
    CHECK(options.struct_size == size);
    options.struct_size = 0;
    const std::vector<unsigned char> zero(sizeof(options));
    CHECK(std::memcmp(&options, zero.data(), zero.size()) == 0);
  };
  tern_load_options load;
  tern_session_options session;
  tern_sampler_options sampler;
  tern_generate_options generate;
  const auto soil = [](auto&... options) { (std::memset(&options, 0xA5, sizeof(options)), ...); };
  soil(load, session, sampler, generate);
  tern_load_options_init(&load);
  tern_session_options_init(&session);
  tern_sampler_options_init(&sampler);
  tern_generate_options_init(&generate);
  check(load);
  check(session);
  check(sampler);
  check(generate);
  tern_options_init(nullptr, 100);
  unsigned char small[4] = {1, 2, 3, 4};
  tern_options_init(small, 3);
  CHECK(small[0] == 1);
}

TEST_CASE("the layout of every public struct is as it was released") {
  if (sizeof(void*) != 8) return;
  CHECK(sizeof(tern_allocator) == 24);
  CHECK(sizeof(tern_scheduler) == 24);
  CHECK(sizeof(tern_load_options) == 88);
  CHECK(sizeof(tern_session_options) == 40);
  CHECK(sizeof(tern_sampler_options) == 64);
  CHECK(sizeof(tern_generate_options) == 64);
  CHECK(sizeof(tern_chat_message) == 24);
  CHECK(sizeof(tern_layer_options) == 40);
  CHECK(sizeof(tern_session_statistics) == 104);
  CHECK(sizeof(tern_text) == 16);
  CHECK(sizeof(tern_logit_bias) == 8);
  CHECK(offsetof(tern_load_options, isa) == 8);
  CHECK(offsetof(tern_load_options, allocator) == 24);
  CHECK(offsetof(tern_session_options, allocator) == 16);
  CHECK(offsetof(tern_sampler_options, seed) == 24);
  CHECK(offsetof(tern_sampler_options, biases) == 48);
  CHECK(offsetof(tern_generate_options, sampler) == 16);
  CHECK(offsetof(tern_chat_message, role) == 16);
}
