// Tern files that contradict themselves: a status, the name concerned, and never a crash.
#include <limits>

#include "support/model_fixture.hpp"
#include "support/tern_files.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;

namespace {

const std::string kUp = "blk.1.ffn_up.weight";
const std::string kDown = "blk.1.ffn_down.weight";

/// A good file, and the errors of its spoiled copies.
struct Sample {
  Bytes bytes;
  tern::GgufFile file;

  explicit Sample(tern::HeadOption head = tern::HeadOption::i8)
      : bytes(make(head)), file(*tern::GgufFile::parse(bytes, tern::default_allocator())) {}

  static Bytes make(tern::HeadOption head) {
    tern::LoadOptions options;
    options.packing = tern::Packing::t5;
    options.head = head;
    const auto m = small_model(RandomScales::row);
    return convert(gguf_of(m, TensorType::f32).build(), options);
  }

  template <typename Spoil>
  tern::Error error_of_arrays(Spoil spoil) const {
    TernArrays arrays = TernArrays::of(file);
    spoil(arrays);
    return load_error(rewrite(file, arrays).build());
  }
  template <typename Spoil>
  tern::Error error_of_tensor(std::string_view name, Spoil spoil) const {
    GgufWriter writer = rewrite(file, TernArrays::of(file));
    const tern::GgufTensor* tensor = file.find_tensor(name);
    REQUIRE(tensor != nullptr);
    GgufWriter::Tensor changed{std::string(name),
                               tensor->type_id,
                               {tensor->dims, tensor->dims + tensor->n_dims},
                               {tensor->data.begin(), tensor->data.end()},
                               {}};
    spoil(changed);
    writer.replace_tensor(changed);
    return load_error(writer.build());
  }
};

std::string subject(const tern::Error& error) { return error.subject; }

}  // namespace

TEST_CASE("the sample loads as it is, and rewritten without the region's alignment") {
  const Sample sample;
  load(sample.bytes);
  load(rewrite(sample.file, TernArrays::of(sample.file)).build());
}

TEST_CASE("of up and down both are packed or neither is") {
  // Lines beside tiles would skip rows into lists that nobody made.
  const auto m = small_model(RandomScales::row);
  const Bytes plain_bytes = gguf_of(m, TensorType::f16).build();
  const auto plain = *tern::GgufFile::parse(plain_bytes, tern::default_allocator());
  const Sample sample;
  for (const std::string& name : {kUp, kDown}) {
    TernArrays arrays = TernArrays::of(sample.file);
    const auto at = static_cast<std::ptrdiff_t>(arrays.index_of(name));
    arrays.names.erase(arrays.names.begin() + at);
    arrays.packings.erase(arrays.packings.begin() + at);
    arrays.scale_kinds.erase(arrays.scale_kinds.begin() + at);
    arrays.rows.erase(arrays.rows.begin() + at);
    arrays.cols.erase(arrays.cols.begin() + at);
    GgufWriter writer = rewrite(sample.file, arrays);
    const tern::GgufTensor* tensor = plain.find_tensor(name);
    REQUIRE(tensor != nullptr);
    writer.replace_tensor({name,
                           tensor->type_id,
                           {tensor->dims, tensor->dims + tensor->n_dims},
                           {tensor->data.begin(), tensor->data.end()},
                           {}});
    writer.remove_tensor(name + ".scale");
    const auto error = load_error(writer.build());
    CHECK(error.status == Status::mismatch);
    CHECK(subject(error) == kUp);
    CHECK(std::string(error.what) == "of ffn_up and ffn_down only one is packed");
  }
}

TEST_CASE("a newer major version is refused by name, a newer minor one is read") {
  const Sample sample;
  const auto with_version = [&](uint32_t version) {
    GgufWriter writer = rewrite(sample.file, TernArrays::of(sample.file));
    writer.replace_u32(tern::kTernVersionKey, version);
    return writer.build();
  };
  const auto error = load_error(with_version(200));
  CHECK(error.status == Status::unsupported_version);
  CHECK(subject(error) == "tern.version");
  CHECK(std::string(error.what) == "tern file of a newer major version");
  CHECK(load_error(with_version(0)).status == Status::unsupported_version);
  load(with_version(107));
}

TEST_CASE("arrays of unequal lengths, of wrong types and absent ones are refused by key") {
  const Sample sample;
  for (const auto spoil :
       {+[](TernArrays& a) { a.rows.pop_back(); }, +[](TernArrays& a) { a.cols.push_back(1); },
        +[](TernArrays& a) { a.packings.pop_back(); },
        +[](TernArrays& a) { a.scale_kinds.clear(); },
        +[](TernArrays& a) { a.names.pop_back(); }}) {
    const auto error = sample.error_of_arrays(spoil);
    CHECK(error.status == Status::mismatch);
    CHECK(subject(error) == "tern.tensor.name");
  }
  GgufWriter only_version = gguf_of(random_model(small_shape(), 1, 1), TensorType::i2_s);
  only_version.add(tern::kTernVersionKey, uint32_t{100});
  CHECK(load_error(only_version.build()).status == Status::missing);
  only_version.add(tern::kTernNameKey, uint32_t{1});
  CHECK(load_error(only_version.build()).status == Status::mismatch);
}

TEST_CASE("entries that name no packing, no scales, no tensor or one twice are refused by name") {
  const Sample sample;
  const size_t up = TernArrays::of(sample.file).index_of(kUp);
  auto error = sample.error_of_arrays([&](TernArrays& a) { a.packings[up] = "t9"; });
  CHECK(error.status == Status::malformed);
  CHECK(subject(error) == kUp);
  error = sample.error_of_arrays([&](TernArrays& a) { a.scale_kinds[up] = "column"; });
  CHECK(error.status == Status::malformed);
  CHECK(subject(error) == kUp);
  error = sample.error_of_arrays([&](TernArrays& a) { a.scale_kinds[up] = "group_64"; });
  CHECK(error.status == Status::malformed);
  error = sample.error_of_arrays([&](TernArrays& a) { a.names[up] = "blk.1.ffn_hup.weight"; });
  CHECK(error.status == Status::missing);
  CHECK(subject(error) == "blk.1.ffn_hup.weight");
  error = sample.error_of_arrays([&](TernArrays& a) {
    for (auto* texts : {&a.names, &a.packings, &a.scale_kinds}) texts->push_back((*texts)[up]);
    for (auto* counts : {&a.rows, &a.cols}) counts->push_back((*counts)[up]);
  });
  CHECK(error.status == Status::malformed);
  CHECK(subject(error) == kUp);
  error = sample.error_of_arrays([&](TernArrays& a) { a.names[up] = std::string(300, 'n'); });
  CHECK(error.status == Status::missing);
}

TEST_CASE("a tensor that is packed but not listed is refused by name") {
  const Sample sample;
  const auto error = sample.error_of_arrays([&](TernArrays& a) {
    const size_t up = a.index_of(kUp);
    for (auto* texts : {&a.names, &a.packings, &a.scale_kinds}) {
      texts->erase(texts->begin() + static_cast<long>(up));
    }
    for (auto* counts : {&a.rows, &a.cols}) counts->erase(counts->begin() + static_cast<long>(up));
  });
  CHECK(error.status == Status::unsupported);
  CHECK(subject(error) == kUp + ".scale");
}

TEST_CASE("sizes that are not those of the packing are refused by name") {
  const Sample sample;
  const size_t up = TernArrays::of(sample.file).index_of(kUp);
  struct Row {
    uint32_t rows, cols;
    Status status;
  };
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  for (const Row& row : {Row{0, 256, Status::malformed},
                         {512, 0, Status::malformed},
                         {512, 321, Status::mismatch},
                         {513, 256, Status::mismatch},
                         {kMost, kMost, Status::mismatch},
                         // As many bytes, but another shape than the model's.
                         {512, 255, Status::mismatch},
                         {512, 320, Status::mismatch}}) {
    const auto error = sample.error_of_arrays([&](TernArrays& a) {
      a.rows[up] = row.rows;
      a.cols[up] = row.cols;
    });
    CHECK(error.status == row.status);
    CHECK(subject(error).substr(0, kUp.size()) == kUp);
  }
  auto error = sample.error_of_tensor(kUp, [](GgufWriter::Tensor& t) {
    t.data.resize(t.data.size() - 64);
    t.dims[0] -= 64;
  });
  CHECK(error.status == Status::mismatch);
  CHECK(subject(error) == kUp);
  error = sample.error_of_tensor(kUp, [](GgufWriter::Tensor& t) {
    t.type_id = 0;
    t.dims[0] /= 4;
  });
  CHECK(error.status == Status::mismatch);
}

TEST_CASE("scales that are too few, of another type, negative or not finite are refused by name") {
  const Sample sample;
  const std::string name = kUp + ".scale";
  auto error = sample.error_of_tensor(name, [](GgufWriter::Tensor& t) {
    t.data.resize(4);
    t.dims[0] = 1;
  });
  CHECK(error.status == Status::mismatch);
  CHECK(subject(error) == name);
  error = sample.error_of_tensor(name, [](GgufWriter::Tensor& t) { t.type_id = 26; });
  CHECK(error.status == Status::mismatch);
  for (const std::string& spoiled : {name, std::string("token_embd.weight.scale")}) {
    for (const float value :
         {-0.5f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      error = sample.error_of_tensor(spoiled, [&](GgufWriter::Tensor& t) {
        std::memcpy(t.data.data() + t.data.size() - 4, &value, 4);
      });
      CHECK(error.status == Status::malformed);
      CHECK(subject(error) + ".scale" == spoiled);
    }
  }
}

TEST_CASE("packings that the layer cannot have are refused by name") {
  const Sample sample;
  const auto arrays = TernArrays::of(sample.file);
  const auto repacked = [&](const std::string& name, const char* packing, size_t bytes) {
    TernArrays changed = arrays;
    changed.packings[changed.index_of(name)] = packing;
    GgufWriter writer = rewrite(sample.file, changed);
    writer.replace_tensor({name, 24, {bytes}, Bytes(bytes, 0x80), {}});
    return load_error(writer.build());
  };
  // Down alone by columns: skipping needs both.
  auto error = repacked(kUp, "t5", 32 * 13 * 64);
  CHECK(error.status == Status::mismatch);
  CHECK(subject(error) == kDown);
  error = repacked("blk.1.attn_q.weight", "t5r", 256 * 64);
  CHECK(error.status == Status::mismatch);
  CHECK(subject(error) == "blk.1.attn_q.weight");
  error = repacked("blk.1.attn_q.weight", "i8", 256 * 256);
  CHECK(error.status == Status::mismatch);
  CHECK(subject(error) == "blk.1.attn_q.weight");
}

TEST_CASE("scales that are not aligned in memory are refused, not read") {
  const Sample sample;
  Bytes shifted(sample.bytes.size() + 1);
  std::copy(sample.bytes.begin(), sample.bytes.end(), shifted.begin() + 1);
  const auto model = tern::Model::load_memory({shifted.data() + 1, sample.bytes.size()}, {});
  REQUIRE_FALSE(model.ok());
  CHECK(model.status() == Status::malformed);
}

TEST_CASE("code 3 in a T2 tern file runs as +2, and cannot be packed anew") {
  tern::LoadOptions options;
  options.packing = tern::Packing::t2;
  const auto source = gguf_of(random_model(small_shape("bitnet"), 1, 5), TensorType::i2_s).build();
  Bytes bytes = convert(source, options);
  const auto at = load(bytes)->weights().layers[0].ffn_up.view().data - bytes.data();
  bytes[static_cast<size_t>(at) + 100] = 0xFF;
  const auto session = open_session(load(bytes));
  CHECK(session->evaluate(some_tokens(3, 70)).ok());
  options.packing = tern::Packing::t5;
  const auto repacked = tern::Model::load_memory(bytes, options);
  REQUIRE_FALSE(repacked.ok());
  CHECK(repacked.status() == Status::malformed);
  CHECK(subject(repacked.error()) == "blk.0.ffn_up.weight");
}

TEST_CASE("every cut of a tern file is refused, never a crash") {
  const Sample sample(tern::HeadOption::keep);
  const Bytes whole = rewrite(sample.file, TernArrays::of(sample.file)).build();
  for (size_t n = 0; n < whole.size(); n += n < 8192 ? 37 : 9973) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(n));
    CHECK_FALSE(tern::Model::load_memory(cut, {}).ok());
  }
}
