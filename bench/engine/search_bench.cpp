// The search for the largest logits beside reading the whole head:
//
//     head/<q6_k|i8|planes|search|likely>/t:<threads>   one token's logits, or the largest of them,
//         of 128256 random rows of 2560 normally distributed columns and a random input: harder
//         than a trained model, whose largest logit stands out; share_1, share_2: rows of which the
//         second and the third plane were read
//
//     search_bench --agreement TEXT   the story models over a text, a token at a time: rows read of
//         each plane, and how often the search with likely bounds finds another largest logit
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tern/engine/head_search.hpp"
#include "tern/platform/large_pages.hpp"
#include "tern/tern.hpp"

namespace {

constexpr size_t kRows = 128256;
constexpr size_t kCols = 2560;

/// One head in three forms, and an input.
struct Head {
  const tern::KernelTable kernels = *tern::select_kernels("");
  tern::Buffer<uint8_t> codes, planes, blocks;
  std::vector<float> units = std::vector<float>(kRows), rests = std::vector<float>(2 * kRows);
  std::vector<float> x = std::vector<float>(kCols);
  std::vector<int8_t> high = std::vector<int8_t>(tern::activation_stride(kCols)), low = high;
  tern::QuantizedToken token;

  Head()
      : codes(*tern::create_streamed_buffer(kRows * kCols, tern::default_allocator())),
        planes(*tern::create_streamed_buffer(*tern::planes_bytes(kCols, kRows),
                                             tern::default_allocator())),
        blocks(
            *tern::create_streamed_buffer(kRows * kCols / 256 * 210, tern::default_allocator())) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> pool(1 << 20);
    for (float& v : pool) v = normal(random);
    for (float& v : x) v = normal(random);
    for (size_t r = 0; r < kRows; ++r) {
      const float* row = pool.data() + random() % (pool.size() - kCols);
      uint8_t* out = codes.data() + r * kCols;
      kernels.encode_row(tern::TensorType::i8, row, kCols, out, &units[r]);
      const auto* bytes = reinterpret_cast<const int8_t*>(out);
      tern::store_plane_row(bytes, kCols, r, planes.data());
      for (size_t known = 1; known < tern::kPlanes; ++known) {
        rests[2 * r + known - 1] =
            kernels.plane_norm(tern::plane_rest_squares(bytes, kCols, known));
      }
      uint8_t* block = blocks.data() + r * kCols / 256 * 210;
      for (size_t i = 0; i < kCols / 256 * 210; ++i) block[i] = static_cast<uint8_t>(random());
      for (size_t i = 209; i < kCols / 256 * 210; i += 210) block[i] = 0x2C;
    }
    token = kernels.quantize_i16(x.data(), kCols, high.data(), low.data(), high.size());
  }
  tern::ActivationView input() const { return {high.data(), low.data(), &token, high.size(), 1}; }
  tern::HeadView view(tern::TensorType type) const {
    switch (type) {
      case tern::TensorType::i8: return {type, codes.data(), kCols, kCols, units.data()};
      case tern::TensorType::q6_k: return {type, blocks.data(), kCols / 256 * 210, kCols};
      default: return {type, planes.data(), kCols, kCols, units.data(), 0, rests.data()};
    }
  }
};

const Head& head() {
  static const Head made;
  return made;
}

tern::TaskRunner make_runner(uint32_t threads) {
  if (threads == 1) return {};
  return tern::TaskRunner(*tern::ThreadPool::create(threads, tern::default_allocator()));
}

void read_all(benchmark::State& state, tern::TensorType type, uint32_t threads) {
  const Head& h = head();
  const tern::TaskRunner runner = make_runner(threads);
  std::vector<float> logits(kRows);
  const size_t tasks = 4 * threads;
  for (auto _ : state) {
    runner.run(tasks, [&](size_t task) {
      const size_t begin = kRows * task / tasks, end = kRows * (task + 1) / tasks;
      h.kernels.head_rows(h.view(type), {h.x.data(), kCols, h.input()}, begin, end,
                          logits.data() + begin, kRows);
    });
    benchmark::DoNotOptimize(logits.data());
  }
  state.counters["MB"] = static_cast<double>(h.view(type).row_bytes * kRows) * 1e-6;
}

void search(benchmark::State& state, bool likely, uint32_t threads) {
  const Head& h = head();
  const tern::TaskRunner runner = make_runner(threads);
  std::vector<float> logits(kRows);
  tern::HeadSearch search;
  tern::BufferPlan plan(tern::default_allocator());
  if (!search.allocate(kRows, plan).ok()) return state.SkipWithError("no memory");
  tern::HeadCounts counts;
  for (auto _ : state) {
    search.run(h.kernels, h.view(tern::TensorType::i8_planes), likely, runner, h.input(), 1, {},
               logits, counts);
  }
  double bytes = 0;
  for (size_t p = 0; p < tern::kPlanes; ++p) {
    bytes += static_cast<double>(counts.rows[p] * tern::plane_row_bytes(kCols, p));
  }
  const auto n = static_cast<double>(state.iterations());
  state.counters["MB"] = bytes * 1e-6 / n;
  state.counters["share_1"] = static_cast<double>(counts.rows[1]) / n / kRows;
  state.counters["share_2"] = static_cast<double>(counts.rows[2]) / n / kRows;
}

// Largest logits of one model over a text.
int compare(const char* name, const std::string& text) {
  const std::string path = std::string(TERN_SOURCE_DIR "/examples/models/") + name + ".gguf";
  tern::LoadOptions options;
  options.head = tern::HeadOption::two_stage;
  const auto loaded = tern::Model::load_file(path, options);
  if (!loaded.ok()) return 1;
  const auto& model = *loaded;
  const tern::HeadView& view = model->weights().head;
  const size_t n_rows = model->config().vocab_size;
  tern::Vector<tern::TokenId> ids;
  if (!model->tokenizer()->encode(text, {}, ids).ok()) return 1;
  tern::SessionOptions session_options;
  session_options.context = 512;
  const auto session = *tern::Session::create(model, session_options);
  tern::HeadSearch search;
  tern::BufferPlan plan(tern::default_allocator());
  if (!search.allocate(n_rows, plan).ok()) return 1;
  std::vector<float> logits(n_rows);
  std::vector<int8_t> high(tern::activation_stride(view.k)), low = high;
  tern::HeadCounts counts[2];
  size_t n_other[2] = {};
  for (const tern::TokenId token : ids) {
    if (session->position() == session->capacity() && !session->reset().ok()) return 1;
    if (!session->evaluate({&token, 1}).ok()) return 1;
    const auto all = session->logits();
    const auto best = std::max_element(all.begin(), all.end()) - all.begin();
    const tern::QuantizedToken quantized = model->kernels().quantize_i16(
        session->features().data(), view.k, high.data(), low.data(), high.size());
    for (const bool likely : {false, true}) {
      search.run(model->kernels(), view, likely, {},
                 {high.data(), low.data(), &quantized, high.size(), 1}, 1, {}, logits,
                 counts[likely]);
      const auto found = std::max_element(logits.begin(), logits.end()) - logits.begin();
      n_other[likely] += found != best;
    }
  }
  for (const bool likely : {false, true}) {
    const auto share = [&](size_t plane) {
      return 100.0 * static_cast<double>(counts[likely].rows[plane]) /
             static_cast<double>(counts[likely].rows[0]);
    };
    std::printf("%s\t%s\t%zu\t%.4f\t%.4f\t%zu\n", name, likely ? "likely" : "certain", ids.size(),
                share(1), share(2), n_other[likely]);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--agreement") == 0) {
    std::ifstream file(argv[2]);
    std::stringstream text;
    text << file.rdbuf();
    std::puts("model\tbounds\tstates\tsecond plane %\tthird plane %\tother tokens");
    return compare("stories", text.str()) | compare("stories-a48", text.str());
  }
  for (const uint32_t threads : {1u, 2u}) {
    const auto add = [&](const std::string& name, auto f) {
      benchmark::RegisterBenchmark(("head/" + name + "/t:" + std::to_string(threads)).c_str(), f)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    };
    using State = benchmark::State;
    add("q6_k", [=](State& state) { read_all(state, tern::TensorType::q6_k, threads); });
    add("i8", [=](State& state) { read_all(state, tern::TensorType::i8, threads); });
    add("planes", [=](State& state) { read_all(state, tern::TensorType::i8_planes, threads); });
    add("search", [=](State& state) { search(state, false, threads); });
    add("likely", [=](State& state) { search(state, true, threads); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
