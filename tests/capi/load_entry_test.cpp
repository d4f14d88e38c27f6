// Loading through the C ABI from wherever the bytes are, its options, progress and log.
#include <cstdio>
#include <cstring>
#include <string>

#include "capi_fixture.hpp"

#if defined(__unix__) && !defined(__wasi__)
#include <fcntl.h>
#include <unistd.h>
#define TERN_HAS_DESCRIPTORS 1
#endif

using namespace capi_test;

namespace {
std::vector<float> first_logits(const ModelPtr& model) {
  const auto session = open_session(model);
  evaluate(session, {256, 7, 8});
  return logits(session);
}
struct Log {
  std::vector<std::string> lines;
  static void write(void* user, int32_t level, const char* text, size_t size) {
    static_cast<Log*>(user)->lines.push_back(std::to_string(level) + " " + std::string(text, size));
  }
};
struct Progress {
  uint64_t calls = 0;
  uint64_t last = 0;
  uint64_t total = 0;
  uint64_t cancel_at = ~uint64_t{0};
  bool in_order = true;
  static int32_t report(void* user, uint64_t done, uint64_t total) {
    auto& self = *static_cast<Progress*>(user);
    self.in_order = self.in_order && done >= self.last && done <= total;
    self.last = done;
    self.total = total;
    return self.calls++ == self.cancel_at ? 1 : 0;
  }
};
/// Reads tiny_bytes(); fails at a call.
struct Reader {
  size_t calls = 0;
  size_t fail_at = ~size_t{0};
  static int32_t read(void* user, uint64_t offset, void* buffer, size_t size) {
    auto& self = *static_cast<Reader*>(user);
    if (self.calls++ == self.fail_at) return 1;
    std::memcpy(buffer, tiny_bytes().data() + offset, size);
    return 0;
  }
};
tern_load_options load_options() {
  tern_load_options options;
  tern_load_options_init(&options);
  return options;
}
}  // namespace

TEST_CASE("packings and heads are the caller's choice") {
  const auto expected = first_logits(load(tiny_bytes()));
  for (const uint32_t packing : {TERN_PACKING_T2, TERN_PACKING_T5}) {
    auto options = load_options();
    options.packing = packing;
    CHECK(first_logits(load(tiny_bytes(), &options)) == expected);
  }
  auto options = load_options();
  options.head = TERN_HEAD_I8;
  const auto of_bytes = first_logits(load(tiny_bytes(), &options));
  CHECK(of_bytes != expected);
  for (const uint32_t head : {TERN_HEAD_TWO_STAGE, TERN_HEAD_TWO_STAGE_LIKELY}) {
    options.head = head;
    CHECK(first_logits(load(tiny_bytes(), &options)) == of_bytes);
  }
  struct Wrong {
    uint32_t tern_load_options::*option;
    uint32_t value;
    std::string name;
  };
  for (const Wrong& wrong : {Wrong{&tern_load_options::packing, 3, "packing"},
                             {&tern_load_options::head, 5, "head"},
                             {&tern_load_options::i2s_layout, 2, "i2s_layout"},
                             {&tern_load_options::reserved, 1, "reserved"}}) {
    options = load_options();
    options.*wrong.option = wrong.value;
    tern_model* out = nullptr;
    check_failed(tern_model_load_memory(tiny_bytes().data(), tiny_bytes().size(), &options, &out),
                 TERN_INVALID_ARGUMENT, wrong.name + ": an option is out of range");
  }
}

TEST_CASE("loading reports its progress to the end, and can be cancelled at every report") {
  Progress progress;
  auto options = load_options();
  options.on_progress = Progress::report;
  options.progress_user = &progress;
  load(tiny_bytes(), &options);
  CHECK(progress.in_order);
  CHECK(progress.last == progress.total);
  CHECK(progress.calls > 20);
  RefusingAllocator allocator;
  const tern_allocator hooks = allocator.hooks();
  options.allocator = &hooks;
  for (uint64_t at = 0; at < progress.calls; ++at) {
    Progress cancelling;
    cancelling.cancel_at = at;
    options.progress_user = &cancelling;
    tern_model* out = nullptr;
    CHECK(tern_model_load_memory(tiny_bytes().data(), tiny_bytes().size(), &options, &out) ==
          TERN_CANCELLED);
    CHECK(out == nullptr);
    CHECK(allocator.live_blocks == 0);
  }
}

TEST_CASE("the log tells what was chosen, a line at a time") {
  Log log;
  auto options = load_options();
  options.on_log = Log::write;
  options.log_user = &log;
  options.isa = "scalar";
  options.isa_size = 6;
  load(tiny_bytes(), &options);
  CHECK(log.lines == std::vector<std::string>{"1 kernels scalar, linear layers t2, head F16"});
}

TEST_CASE("a model from a reader is the one from memory") {
  Reader reader;
  tern_model* model = nullptr;
  REQUIRE(tern_model_load_reader(Reader::read, &reader, tiny_bytes().size(), nullptr, &model) ==
          TERN_OK);
  CHECK(reader.calls == 1);
  CHECK(first_logits(ModelPtr(model)) == first_logits(load(tiny_bytes())));
  Reader failing;
  failing.fail_at = 0;
  check_failed(tern_model_load_reader(Reader::read, &failing, tiny_bytes().size(), nullptr, &model),
               TERN_IO_ERROR, "cannot read");
  CHECK(model == nullptr);
  CHECK(tern_model_load_reader(nullptr, nullptr, 1, nullptr, &model) == TERN_INVALID_ARGUMENT);
  CHECK(tern_model_load_reader(Reader::read, &reader, 10, nullptr, &model) == TERN_TRUNCATED);
}

#if defined(TERN_HAS_DESCRIPTORS)
TEST_CASE("a model inside another file loads by a descriptor, mapped and copied") {
  const char* path = "tern_test_asset.bin";
  for (const size_t before : {size_t{0}, size_t{1}, size_t{5000}}) {
    std::FILE* file = std::fopen(path, "wb");
    REQUIRE(file != nullptr);
    std::fwrite(std::string(before, 'x').data(), 1, before, file);
    std::fwrite(tiny_bytes().data(), 1, tiny_bytes().size(), file);
    std::fwrite("behind", 1, 6, file);
    std::fclose(file);
    for (const uint32_t flags : {0u, TERN_LOAD_COPY}) {
      auto options = load_options();
      options.flags = flags;
      const int descriptor = open(path, O_RDONLY);
      tern_model* model = nullptr;
      const tern_status status =
          tern_model_load_descriptor(descriptor, before, tiny_bytes().size(), &options, &model);
      tern_model* none = nullptr;
      CHECK(tern_model_load_descriptor(descriptor, before + 7, tiny_bytes().size(), &options,
                                       &none) == TERN_IO_ERROR);
      close(descriptor);
      REQUIRE(status == TERN_OK);
      CHECK(first_logits(ModelPtr(model)) == first_logits(load(tiny_bytes())));
    }
  }
  std::remove(path);
  tern_model* none = nullptr;
  CHECK(tern_model_load_descriptor(-1, 0, 10, nullptr, &none) == TERN_IO_ERROR);
}
#endif

TEST_CASE("metadata are counted, named and read by kind") {
  const auto model = load(tiny_bytes());
  const size_t n = tern_model_metadata_count(model.get());
  CHECK(n > 10);
  bool found = false;
  for (size_t i = 0; i < n; ++i) {
    size_t size = 0;
    const char* key = tern_model_metadata_key(model.get(), i, &size);
    found = found || std::string(key, size) == "general.name";
  }
  CHECK(found);
  size_t size = 1;
  CHECK(std::string(tern_model_metadata_key(model.get(), n, &size)).empty());
  CHECK(size == 0);
  const char* text = nullptr;
  REQUIRE(tern_model_metadata_text(model.get(), "general.name", 12, &text, &size) == TERN_OK);
  CHECK(std::string(text, size) == "tiny");
  int64_t integer = 0;
  const std::string bos = "tokenizer.ggml.bos_token_id";
  REQUIRE(tern_model_metadata_integer(model.get(), bos.data(), bos.size(), &integer) == TERN_OK);
  CHECK(integer == 256);
  const std::string adds = "tokenizer.ggml.add_bos_token";
  REQUIRE(tern_model_metadata_integer(model.get(), adds.data(), adds.size(), &integer) == TERN_OK);
  CHECK(integer == 1);
  double real = 0;
  REQUIRE(tern_model_metadata_real(model.get(), bos.data(), bos.size(), &real) == TERN_OK);
  CHECK(real == 256);
  CHECK(tern_model_metadata_text(model.get(), bos.data(), bos.size(), &text, &size) ==
        TERN_MISMATCH);
  CHECK(text == nullptr);
  check_failed(tern_model_metadata_real(model.get(), "no", 2, &real), TERN_MISSING,
               "no: required metadata key is absent");
}

TEST_CASE("features of the CPU have names, and what a table needs is there") {
  CHECK(tern_cpu_feature_count() > 5);
  CHECK(std::string(tern_cpu_feature_name(0)) == "avx2");
  CHECK(std::string(tern_cpu_feature_name(tern_cpu_feature_count())).empty());
  CHECK(tern_cpu_feature_is_present(tern_cpu_feature_count()) == 0);
}
