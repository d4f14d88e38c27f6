// Loading through the C ABI: every way, every refusal; and what a model says of itself.
#include <set>
#include <string>

#include "capi_fixture.hpp"
#include "support/shared_fixtures.hpp"

using namespace capi_test;

namespace {
tern_status load_path(const std::string& path, const tern_load_options* options = nullptr) {
  tern_model* model = reinterpret_cast<tern_model*>(1);
  const tern_status status = tern_model_load_file(path.data(), path.size(), options, &model);
  CHECK((model != nullptr) == (status == TERN_OK));
  tern_model_free(model);
  return status;
}
tern_status load_bytes(const std::vector<uint8_t>& bytes, size_t size,
                       const tern_load_options* options = nullptr) {
  tern_model* model = reinterpret_cast<tern_model*>(1);
  // A copy of exactly that size, so that a sanitizer sees a read past it.
  const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
  const tern_status status = tern_model_load_memory(cut.data(), cut.size(), options, &model);
  CHECK((model != nullptr) == (status == TERN_OK));
  tern_model_free(model);
  return status;
}
}  // namespace

TEST_CASE("a model from a file says what it is") {
  const auto model = load_stories();
  size_t size = 99;
  CHECK(std::string(tern_model_architecture(model.get(), &size)) == "bitnet-b1.58");
  CHECK(size == 12);
  const std::string name = tern_model_name(model.get(), &size);
  CHECK(name.size() == size);
  CHECK(std::string(tern_model_isa(model.get(), nullptr)).size() > 0);
  CHECK(std::string(tern_model_chat_format(model.get(), &size)) == "none");
  CHECK(size == 4);
  CHECK(tern_model_vocab_size(model.get()) == 2048);
  CHECK(tern_model_n_tokens(model.get()) == 2048);
  CHECK(tern_model_context(model.get()) == 256);
  CHECK(tern_model_dim(model.get()) == 256);
  CHECK(tern_model_ffn_dim(model.get()) == 768);
  CHECK(tern_model_n_layers(model.get()) == 4);
  CHECK(tern_model_n_heads(model.get()) == 4);
  CHECK(tern_model_n_kv_heads(model.get()) == 2);
  CHECK(tern_model_head_dim(model.get()) == 64);
  // 3.15 M ternary weights at 1.6 or 2 bits, as the machine likes, and a few vectors.
  CHECK(tern_model_weight_bytes(model.get()) > 629145);
  CHECK(tern_model_weight_bytes(model.get()) < 900000);
}

TEST_CASE("a model from memory says its name and the chat format of its template") {
  const auto model = load(tiny_chat_bytes());
  size_t size = 0;
  CHECK(std::string(tern_model_name(model.get(), &size)) == "tiny");
  CHECK(size == 4);
  CHECK(std::string(tern_model_chat_format(model.get(), nullptr)) == "chatml");
  CHECK(tern_model_vocab_size(model.get()) == kTinyVocab);
}

TEST_CASE("a model without a vocabulary loads, and counts rows as tokens") {
  const auto bytes = tiny_writer(false).build();
  const auto model = load(bytes);
  CHECK(tern_model_n_tokens(model.get()) == kTinyVocab);
  CHECK(std::string(tern_model_chat_format(model.get(), nullptr)) == "none");
}

TEST_CASE("properties of no model are empty") {
  for (const auto text :
       {tern_model_name, tern_model_architecture, tern_model_isa, tern_model_chat_format}) {
    size_t size = 99;
    CHECK(std::string(text(nullptr, &size)).empty());
    CHECK(size == 0);
    CHECK(std::string(text(nullptr, nullptr)).empty());
  }
  for (const auto number : {tern_model_vocab_size, tern_model_n_tokens, tern_model_context,
                            tern_model_dim, tern_model_ffn_dim, tern_model_n_layers,
                            tern_model_n_heads, tern_model_n_kv_heads, tern_model_head_dim}) {
    CHECK(number(nullptr) == 0);
  }
  CHECK(tern_model_weight_bytes(nullptr) == 0);
  tern_model_free(nullptr);
}

TEST_CASE("mapped, copied and borrowed bytes give the same logits") {
  tern_load_options options;
  tern_load_options_init(&options);
  options.flags = TERN_LOAD_COPY;
  const std::string path = stories_path();
  tern_model* copied = nullptr;
  REQUIRE(tern_model_load_file(path.data(), path.size(), &options, &copied) == TERN_OK);
  const ModelPtr from_copy(copied);
  const auto bytes = tern_test::read_file(path);
  const auto from_memory = load(bytes);
  const auto mapped = load_stories();
  std::set<std::vector<float>> results;
  for (const ModelPtr* model : {&from_copy, &from_memory, &mapped}) {
    const auto session = open_session(*model);
    evaluate(session, tokenize(*model, "Once upon a time"));
    results.insert(logits(session));
  }
  CHECK(results.size() == 1);
}

TEST_CASE("a file that is not there, or no model, is told so") {
  check_failed(load_path("/nowhere/no.gguf"), TERN_NOT_FOUND, "no such file");
  CHECK(load_path("") == TERN_NOT_FOUND);
  CHECK(load_path(TERN_SOURCE_DIR) == TERN_NOT_FOUND);  // a folder without config.json
  CHECK(load_path(TERN_SOURCE_DIR "/CMakeLists.txt") == TERN_MALFORMED);
  CHECK(tern_last_error_where() == 0);
  CHECK(load_path(std::string("a\0b", 3)) == TERN_INVALID_ARGUMENT);
  CHECK(load_path(std::string(100000, 'x')) == TERN_INVALID_ARGUMENT);
  CHECK(load_path("\xFF\xFE\xC0 is no text") != TERN_OK);
}

TEST_CASE("missing arguments of loading are refused") {
  tern_model* model = nullptr;
  check_failed(tern_model_load_file("x", 1, nullptr, nullptr), TERN_INVALID_ARGUMENT,
               "out: an argument is NULL");
  check_failed(tern_model_load_file(nullptr, 1, nullptr, &model), TERN_INVALID_ARGUMENT,
               "path: an argument is NULL");
  CHECK(tern_model_load_file(nullptr, 0, nullptr, &model) == TERN_NOT_FOUND);
  check_failed(tern_model_load_memory("x", 1, nullptr, nullptr), TERN_INVALID_ARGUMENT,
               "out: an argument is NULL");
  check_failed(tern_model_load_memory(nullptr, 1, nullptr, &model), TERN_INVALID_ARGUMENT,
               "bytes: an argument is NULL");
  CHECK(tern_model_load_memory(nullptr, 0, nullptr, &model) == TERN_TRUNCATED);
}

TEST_CASE("an instruction set is chosen by name") {
  tern_load_options options;
  tern_load_options_init(&options);
  const auto status_of = [&](const std::string& isa) {
    options.isa = isa.data();
    options.isa_size = isa.size();
    return load_bytes(tiny_bytes(), tiny_bytes().size(), &options);
  };
  for (size_t i = 0; i < tern_isa_count(); ++i) {
    const std::string isa = tern_isa_name(i);
    INFO(isa);
    if (tern_isa_is_available(i) == 0) {
      CHECK(status_of(isa) == TERN_ISA_UNAVAILABLE);
      continue;
    }
    CHECK(status_of(isa) == TERN_OK);
    CHECK(std::string(tern_model_isa(load(tiny_bytes(), &options).get(), nullptr)) == isa);
  }
  check_failed(status_of("avx9"), TERN_ISA_UNKNOWN, "avx9: no such instruction set");
  CHECK(status_of("\xFF\xC0") == TERN_ISA_UNKNOWN);
  CHECK(status_of(std::string("scalar\0", 7)) == TERN_ISA_UNKNOWN);
  options.isa = nullptr;
  options.isa_size = 1;
  tern_model* model = nullptr;
  check_failed(tern_model_load_memory("x", 1, &options, &model), TERN_INVALID_ARGUMENT,
               "isa: an argument is NULL");
}

TEST_CASE("half an allocator and a scheduler without a function are refused") {
  RefusingAllocator allocator;
  tern_load_options options;
  tern_load_options_init(&options);
  tern_allocator hooks = allocator.hooks();
  options.allocator = &hooks;
  hooks.release = nullptr;
  check_failed(load_bytes(tiny_bytes(), tiny_bytes().size(), &options), TERN_INVALID_ARGUMENT,
               "allocator.release: an argument is NULL");
  hooks = allocator.hooks();
  hooks.allocate = nullptr;
  check_failed(load_bytes(tiny_bytes(), tiny_bytes().size(), &options), TERN_INVALID_ARGUMENT,
               "allocator.allocate: an argument is NULL");
  hooks.release = nullptr;  // none at all means the default
  CHECK(load_bytes(tiny_bytes(), tiny_bytes().size(), &options) == TERN_OK);
  tern_scheduler scheduler = {nullptr, nullptr, 2};
  options.scheduler = &scheduler;
  check_failed(load_bytes(tiny_bytes(), tiny_bytes().size(), &options), TERN_INVALID_ARGUMENT,
               "scheduler.parallel_for: an argument is NULL");
  CHECK(allocator.calls == 0);
}

TEST_CASE("a file cut off anywhere gives a status and leaves nothing allocated") {
  const auto& bytes = tiny_bytes();
  RefusingAllocator allocator;
  const tern_allocator hooks = allocator.hooks();
  tern_load_options options;
  tern_load_options_init(&options);
  options.allocator = &hooks;
  const std::set<tern_status> expected = {TERN_MALFORMED, TERN_TRUNCATED, TERN_MISSING,
                                          TERN_MISMATCH};
  // Every size in the header and the metadata, then a coarse walk through the tensors.
  for (size_t size = 0; size < bytes.size(); size += size < 1000 ? 1 : 997) {
    INFO(size);
    const tern_status status = load_bytes(bytes, size, &options);
    CHECK(expected.count(status) == 1);
    CHECK(tern_last_error_status() == status);
    CHECK(std::string(tern_last_error_message()).find('\n') == std::string::npos);
    REQUIRE(allocator.live_blocks == 0);
  }
  CHECK(load_bytes(bytes, bytes.size(), &options) == TERN_OK);
  CHECK(allocator.live_blocks == 0);
  CHECK(allocator.live_bytes == 0);
}

TEST_CASE("an architecture that tern does not run is named") {
  tern_test::GgufWriter writer;
  writer.add("general.architecture", "mamba");
  const auto bytes = writer.build();
  check_failed(load_bytes(bytes, bytes.size()), TERN_UNSUPPORTED_ARCHITECTURE,
               "mamba: architecture is not supported");
}
