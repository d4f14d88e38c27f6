// Files made by others: they parse, and the same model in four encodings has the same trits.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"
#include "support/gguf_exercise.hpp"
#include "support/shared_fixtures.hpp"
#include "tern/format/gguf.hpp"
#include "tern/quant/ternary_source.hpp"

using namespace tern;
using tern_test::have_shared;
using tern_test::read_file;
using tern_test::shared_path;

namespace {

std::vector<std::string> gguf_files() {
  std::vector<std::string> paths;
  for (const char* model : {"f16", "i2_s", "tq1_0", "tq2_0", "a48-f16", "a48-tq2_0"}) {
    paths.push_back(shared_path(std::string("models/stories-") + model + ".gguf"));
  }
  for (const char* vocabulary : {"falcon", "gpt-2", "llama-spm"}) {
    paths.push_back(shared_path(std::string("tokenizers/ggml-vocab-") + vocabulary + ".gguf"));
  }
  return paths;
}

struct Trits {
  std::vector<uint8_t> u;
  ScalePlan plan;
  std::vector<float> scales;
};
Trits trits_of(const GgufTensor& tensor) {
  const TernarySource source{*readable_type(tensor), tensor.data.data(),
                             static_cast<uint32_t>(tensor.rows()),
                             static_cast<uint32_t>(tensor.dims[0])};
  const size_t group = ternary_group_cols(source);
  const size_t per_row = (source.cols + group - 1) / group;
  Trits trits;
  trits.u.resize(size_t{source.rows} * source.cols);
  std::vector<uint32_t> bits(source.rows * per_row);
  for (size_t row = 0; row < source.rows; ++row) {
    REQUIRE(read_ternary_row(source, row, trits.u.data() + row * source.cols,
                             bits.data() + row * per_row)
                .ok());
  }
  const ScaleGrid grid{bits.data(), source.rows, source.cols, group};
  trits.plan = plan_scales(grid);
  trits.scales.resize(scale_count(trits.plan, source.rows, source.cols));
  collapse_scales(grid, trits.plan, trits.scales.data());
  return trits;
}

}  // namespace

TEST_CASE("every GGUF file of the fixtures parses, within the promised memory") {
  if (!have_shared()) return;
  size_t n_files = 0;
  for (const std::string& path : gguf_files()) {
    INFO(path);
    const auto bytes = read_file(path);
    tern_test::CountingAllocator counter;
    CHECK(tern_test::GgufExercise().run(bytes, counter.hooks()) == Status::ok);
    const auto file = GgufFile::parse(bytes, default_allocator());
    REQUIRE(file.ok());
    uint64_t metadata_bytes = bytes.size();
    for (const auto& tensor : file->tensors()) {
      metadata_bytes = std::min(metadata_bytes, tensor.offset);
    }
    CHECK(counter.peak < 5 * metadata_bytes);
    ++n_files;
  }
  CHECK(n_files >= 9);
}

TEST_CASE("the stories model has its published shape in every encoding") {
  if (!have_shared()) return;
  for (const char* name : {"f16", "tq2_0", "tq1_0", "i2_s"}) {
    INFO(name);
    const auto bytes = read_file(shared_path("models/stories-" + std::string(name) + ".gguf"));
    const auto file = GgufFile::parse(bytes, default_allocator());
    REQUIRE(file.ok());
    CHECK(*file->get<std::string_view>("general.architecture") == "bitnet-b1.58");
    CHECK(*file->get<uint32_t>("bitnet-b1.58.embedding_length") == 256);
    CHECK(*file->get<float>("bitnet-b1.58.rope.freq_base") == 10000.0f);
    CHECK(file->get_array<std::string_view>("tokenizer.ggml.tokens")->size() == 2048);
    CHECK(file->tensors().size() == 46);
    CHECK(*readable_type(*file->find_tensor("token_embd.weight")) == TensorType::f16);
  }
}

TEST_CASE("four encodings of the stories model hold the same trits and one scale a tensor") {
  if (!have_shared()) return;
  const auto reference_bytes = read_file(shared_path("models/stories-f16.gguf"));
  const auto reference = GgufFile::parse(reference_bytes, default_allocator());
  REQUIRE(reference.ok());
  for (const char* name : {"tq2_0", "tq1_0", "i2_s"}) {
    const auto bytes = read_file(shared_path("models/stories-" + std::string(name) + ".gguf"));
    const auto file = GgufFile::parse(bytes, default_allocator());
    REQUIRE(file.ok());
    size_t compared = 0;
    size_t zeros = 0;
    size_t elems = 0;
    for (const GgufTensor& tensor : file->tensors()) {
      const auto type = readable_type(tensor);
      REQUIRE(type.ok());
      if (*type == TensorType::f32 || *type == TensorType::f16) continue;
      INFO(name << " " << tensor.name);
      const Trits got = trits_of(tensor);
      const Trits wanted = trits_of(*reference->find_tensor(tensor.name));
      CHECK(got.u == wanted.u);
      CHECK(wanted.plan == ScalePlan{ScaleKind::tensor, 0});
      CHECK(got.plan == wanted.plan);
      CHECK(got.scales == wanted.scales);
      CHECK(got.scales[0] > 0);
      ++compared;
      elems += got.u.size();
      for (const uint8_t u : got.u) zeros += u == kZeroTrit ? 1 : 0;
    }
    CHECK(compared == 28);
    CHECK(zeros * 100 / elems == 34);  // as the model's card says
  }
}
