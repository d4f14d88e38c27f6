// Random models of a shape: whole tern files, the same for a seed, of ordinary numbers.
#include "tern/convert/synth.hpp"

#include <set>

#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Packing;
using tern::Status;
using tern::TensorType;

namespace {

using Image = tern::Buffer<uint8_t>;

constexpr tern::ModelShape small(std::string_view architecture, uint32_t width) {
  return {"small", architecture, width, 640, 2, 4, 2, 300, 64, 10000.0f, 1e-5f};
}

Image make(const tern::ModelShape& shape, const tern::SynthOptions& options = {}) {
  auto image = tern::synthesize(shape, options, tern::default_allocator());
  if (!image.ok()) FAIL(image.error().what);
  return *std::move(image);
}

ModelPtr load_image(const Image& image) {
  auto model = tern::Model::load_memory(image.span(), {});
  if (!model.ok()) FAIL(model.error().what << ": " << model.error().subject);
  return *model;
}

bool same(const Image& a, const Image& b) {
  return std::equal(a.span().begin(), a.span().end(), b.span().begin(), b.span().end());
}

/// The share of rows without a weight.
double empty_rows(const tern::TernaryView& w) {
  std::vector<uint8_t> u(w.cols);
  double empty = 0;
  for (size_t row = 0; row < w.rows; ++row) {
    tern::unpack_row(w, row, u.data());
    empty += std::count(u.begin(), u.end(), tern::kZeroTrit) == std::ssize(u) ? 1 : 0;
  }
  return empty / w.rows;
}

}  // namespace

TEST_CASE("a random model loads in place and gives finite logits, for every packing and head") {
  for (const char* architecture : {"bitnet-b1.58", "bitnet", "llama"}) {
    for (const Packing packing : {Packing::t2, Packing::t5}) {
      for (const auto head : {TensorType::f16, TensorType::q6_k, TensorType::i8}) {
        tern::SynthOptions options;
        options.packing = packing;
        options.head = head;
        const auto shape = small(architecture, 256);
        const Image image = make(shape, options);
        const auto model = load_image(image);
        CHECK(model->weights().region.size() == 0);
        CHECK(model->weights().head.type == head);
        CHECK(model->weights().layers[1].attn_q.view().packing == packing);
        CHECK(model->config().vocab_size == 300);
        CHECK(model->name() == "small");
        const auto session = open_session(model);
        REQUIRE(session->evaluate(some_tokens(5, 300)).ok());
        float largest = 0;
        for (const float logit : session->logits()) largest = std::max(largest, std::fabs(logit));
        CHECK(largest > 0.5f);
        CHECK(largest < 50.0f);
      }
    }
  }
}

TEST_CASE("a random model of embeddings has input norms and no head") {
  for (const char* architecture : {"qwen3", "gemma3"}) {
    tern::ModelShape shape = small(architecture, 256);
    shape.key_length = 96;
    shape.embeds = true;
    const Image image = make(shape);
    const auto model = load_image(image);
    CHECK(model->config().input_norms);
    CHECK(model->config().head_dim == 96);
    CHECK(model->config().activation_bits == 8);
    const auto tokens = some_tokens(5, 300);
    std::vector<float> embedding(256);
    const size_t length = tokens.size();
    REQUIRE(open_session(model)->embed(tokens, {&length, 1}, embedding).ok());
    CHECK(embedding[0] != embedding[1]);
  }
}

TEST_CASE("a seed gives the same file from any number of threads, another seed another one") {
  auto pool = tern::ThreadPool::create(3, tern::default_allocator());
  REQUIRE(pool.ok());
  tern::SynthOptions options;
  const auto shape = small("bitnet-b1.58", 256);
  const Image alone = make(shape, options);
  options.runner = tern::TaskRunner(*pool);
  CHECK(same(alone, make(shape, options)));
  options.seed = 1;
  CHECK_FALSE(same(alone, make(shape, options)));
}

TEST_CASE("the head is q6 where the width allows it, else int8") {
  CHECK(load_image(make(small("bitnet", 256)))->weights().head.type == TensorType::q6_k);
  CHECK(load_image(make(small("bitnet", 320)))->weights().head.type == TensorType::i8);
  tern::SynthOptions options;
  options.head = TensorType::q6_k;
  const auto image = tern::synthesize(small("bitnet", 320), options, tern::default_allocator());
  CHECK(image.status() == Status::unsupported);
}

TEST_CASE("rows of the gate and gains of the norm are zero as far as is asked for") {
  tern::SynthOptions options;
  options.packing = Packing::t5;
  const auto shape = small("bitnet-b1.58", 256);
  const auto zero_gains = [](const ModelPtr& model) {
    const auto gains = model->weights().layers[0].ffn_sub_norm.span();
    return static_cast<double>(std::count(gains.begin(), gains.end(), 0.0f)) /
           static_cast<double>(gains.size());
  };
  const Image natural = make(shape, options);
  CHECK(empty_rows(load_image(natural)->weights().layers[0].ffn_gate.view()) == 0);
  CHECK(zero_gains(load_image(natural)) == 0);
  options.gate_zeros = 670;
  options.down_zeros = 830;
  const Image imposed = make(shape, options);
  const auto model = load_image(imposed);
  CHECK(empty_rows(model->weights().layers[0].ffn_gate.view()) == Approx(0.34).margin(0.06));
  CHECK(empty_rows(model->weights().layers[0].ffn_up.view()) == 0);
  CHECK(zero_gains(model) == Approx(0.20).margin(0.06));
  options.gate_zeros = 1000;
  const Image closed = make(shape, options);
  CHECK(empty_rows(load_image(closed)->weights().layers[0].ffn_gate.view()) == 1);
}

TEST_CASE("images are aligned to large pages and their packed region too") {
  const Image image = make(small("bitnet-b1.58", 256));
  const auto large = [](const void* p) {
    return reinterpret_cast<uintptr_t>(p) % tern::kLargePageBytes == 0;
  };
  CHECK(large(image.data()));
  CHECK(large(load_image(image)->weights().layers[0].attn_q.view().data));
}

TEST_CASE("options that make no model are refused") {
  const auto status_of = [](const tern::SynthOptions& options) {
    return tern::synthesize(small("bitnet", 256), options, tern::default_allocator()).status();
  };
  tern::SynthOptions options;
  options.packing = Packing::t2c;
  CHECK(status_of(options) == Status::invalid_argument);
  options = {};
  options.head = TensorType::tq2_0;
  CHECK(status_of(options) == Status::invalid_argument);
  options = {};
  options.gate_zeros = 1001;
  CHECK(status_of(options) == Status::invalid_argument);
}

TEST_CASE("every published shape is within the limits of its architecture, under one name") {
  std::set<std::string_view> names;
  for (const tern::ModelShape& shape : tern::kModelShapes) {
    INFO(shape.name);
    CHECK(names.insert(shape.name).second);
    if (shape.architecture.empty()) {
      CHECK(tern::find_shape(shape.name).status() == Status::unsupported);
      continue;
    }
    REQUIRE(tern::find_shape(shape.name).ok());
    CHECK(*tern::find_shape(shape.name) == &shape);
    CHECK(tern::find_architecture(shape.architecture) != nullptr);
    CHECK(shape.model_dim % shape.n_heads == 0);
    CHECK(shape.head_dim() % 2 == 0);
    CHECK(shape.n_heads % shape.n_kv_heads == 0);
    CHECK(shape.ffn_dim <= tern::kMaxDim);
  }
  CHECK(names.size() == 26);
  CHECK(tern::find_shape("bitnet-2b").status() == Status::invalid_argument);
}
