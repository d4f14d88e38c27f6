// Options between headers of different ages.
#include "options.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "capi_fixture.hpp"

using namespace capi_test;
using tern::Status;
using tern::capi::read_options;

namespace {

struct FirstOptions {
  uint32_t struct_size;
  uint32_t a;
};
struct GrownOptions {
  uint32_t struct_size;
  uint32_t a;
  uint64_t b;
};

/// Bytes of exactly this size on the heap, so that a sanitizer sees a read past them.
struct Given {
  std::unique_ptr<unsigned char[]> bytes;
  Given(uint32_t size, size_t room, uint32_t a) : bytes(new unsigned char[room]()) {
    std::memcpy(bytes.get(), &size, 4);
    if (room >= 8) std::memcpy(bytes.get() + 4, &a, 4);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(bytes.get());
  }
};

/// One struct of the ABI at sizes that are wrong, that of its first release, and later ones.
template <typename Options, typename Call>
void check_sizes(const std::string& name, size_t first_size, Call&& call) {
  INFO(name);
  struct {
    Options options;
    unsigned char tail[16];
  } newer = {};
  const auto call_with = [&](size_t size) {
    newer.options.struct_size = static_cast<uint32_t>(size);
    return call(&newer.options);
  };
  const auto wrong = name + ": struct_size is wrong: options were not initialised";
  for (const size_t size :
       {size_t{0}, size_t{4}, first_size - 1, size_t{4097}, size_t{0xFFFFFFFF}}) {
    check_failed(call_with(size), TERN_INVALID_ARGUMENT, wrong);
  }
  for (size_t size = first_size; size <= sizeof(Options); size += 4) {
    CHECK(call_with(size) == TERN_OK);
  }
  CHECK(call_with(sizeof(Options) + 16) == TERN_OK);
  newer.tail[15] = 1;
  check_failed(call_with(sizeof(Options) + 16), TERN_INVALID_ARGUMENT,
               name + ": an option is set that this version does not know");
  CHECK(call_with(sizeof(Options) + 15) == TERN_OK);
  CHECK(call(nullptr) == TERN_OK);
}

}  // namespace

TEST_CASE("options of an older header are read, what they lack being default") {
  const Given older(sizeof(FirstOptions), sizeof(FirstOptions), 5);
  const auto options = read_options(older.as<GrownOptions>(), "x", sizeof(FirstOptions));
  REQUIRE(options.ok());
  CHECK(options->a == 5);
  CHECK(options->b == 0);
}

TEST_CASE("options of a newer header are read if what is new is default") {
  const Given newer(sizeof(GrownOptions), sizeof(GrownOptions), 5);
  const auto options = read_options(newer.as<FirstOptions>(), "x", sizeof(FirstOptions));
  REQUIRE(options.ok());
  CHECK(options->a == 5);
  for (size_t i = sizeof(FirstOptions); i < sizeof(GrownOptions); ++i) {
    newer.bytes[i] = 1;
    CHECK(read_options(newer.as<FirstOptions>(), "x", sizeof(FirstOptions)).status() ==
          Status::invalid_argument);
    newer.bytes[i] = 0;
  }
}

TEST_CASE("options smaller than their first release are refused without reading on") {
  for (uint32_t size = 0; size < sizeof(FirstOptions); ++size) {
    const Given tiny(size, 4, 0);
    CHECK(read_options(tiny.as<GrownOptions>(), "x", sizeof(FirstOptions)).status() ==
          Status::invalid_argument);
  }
}

TEST_CASE("every options struct of the interface accepts newer sizes and refuses wrong ones") {
  const auto& bytes = tiny_bytes();
  const auto model = load(bytes);
  const auto session = open_session(model);
  const auto prompt = tokenize(model, "hi");
  evaluate(session, prompt);
  check_sizes<tern_load_options>("tern_load_options", tern::capi::kLoadOptionsFirstSize,
                                 [&](const tern_load_options* options) {
                                   tern_model* out = nullptr;
                                   const tern_status status = tern_model_load_memory(
                                       bytes.data(), bytes.size(), options, &out);
                                   CHECK((status == TERN_OK) == (out != nullptr));
                                   tern_model_free(out);
                                   return status;
                                 });
  check_sizes<tern_session_options>("tern_session_options", tern::capi::kSessionOptionsFirstSize,
                                    [&](const tern_session_options* options) {
                                      tern_session* out = nullptr;
                                      const tern_status status =
                                          tern_session_create(model.get(), options, &out);
                                      CHECK((status == TERN_OK) == (out != nullptr));
                                      tern_session_free(out);
                                      return status;
                                    });
  check_sizes<tern_sampler_options>("tern_sampler_options", tern::capi::kSamplerOptionsFirstSize,
                                    [&](const tern_sampler_options* options) {
                                      int32_t token = -1;
                                      return tern_session_sample(session.get(), options, &token);
                                    });
  check_sizes<tern_generate_options>("tern_generate_options", tern::capi::kGenerateOptionsFirstSize,
                                     [&](const tern_generate_options* options) {
                                       Collected collected;
                                       collected.stop_after = 1;
                                       return tern_session_generate(session.get(), options,
                                                                    Collected::on_text, &collected,
                                                                    nullptr, nullptr);
                                     });
}

TEST_CASE("unknown flags and options out of range are refused") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  const std::string flag = "flags: a flag is set that this version does not know";
  tern_load_options load_options;
  tern_load_options_init(&load_options);
  load_options.flags = 4;
  tern_model* out = nullptr;
  check_failed(tern_model_load_file("x", 1, &load_options, &out), TERN_INVALID_ARGUMENT, flag);
  tern_generate_options generate;
  tern_generate_options_init(&generate);
  Collected collected;
  const auto run = [&] {
    return tern_session_generate(session.get(), &generate, Collected::on_text, &collected, nullptr,
                                 nullptr);
  };
  generate.flags = 8;
  check_failed(run(), TERN_INVALID_ARGUMENT, flag);
  generate.flags = 0;
  generate.n_draft = TERN_MAX_DRAFT + 1;
  check_failed(run(), TERN_INVALID_ARGUMENT, "n_draft: generate option is out of range");
  CHECK(collected.tokens.empty());
  size_t n = 0;
  int32_t token = 1;
  char byte = 0;
  check_failed(tern_model_tokenize(model.get(), "x", 1, 4, &token, 1, &n), TERN_INVALID_ARGUMENT,
               flag);
  check_failed(tern_model_detokenize(model.get(), &token, 1, 4, &byte, 1, &n),
               TERN_INVALID_ARGUMENT, flag);
  check_failed(tern_model_tokenize_chat(model.get(), nullptr, 0, 4, &token, 1, &n),
               TERN_INVALID_ARGUMENT, flag);
}
