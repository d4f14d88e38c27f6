#include "tern/quant/tensor_type.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <set>
#include <string>

using namespace tern;

namespace {
const TypeInfo& row_named(const std::string& name) {
  for (const TypeInfo& row : kTypeTable) {
    if (row.name == name) return row;
  }
  FAIL("no type " << name);
  return kTypeTable[0];
}
std::string meaning(uint32_t id, uint64_t ne0, uint64_t rows, uint64_t room) {
  const ResolvedType resolved = resolve_type(id, ne0, rows, room, 32);
  return resolved.type != nullptr ? resolved.type->name : "";
}
}  // namespace

TEST_CASE("the table ascends by id, its names are unique, and refusals name the type") {
  std::set<std::string> names;
  uint32_t last = 0;
  for (const TypeInfo& row : kTypeTable) {
    CHECK(row.id >= last);
    last = row.id;
    CHECK(names.insert(row.name).second);
    const std::string refusal = "tensor type " + std::string(row.name) + " is not supported";
    CHECK(std::string(row.refusal).substr(0, refusal.size()) == refusal);
  }
}

TEST_CASE("every decodable type is found in the table by its enumerator") {
  CHECK(std::string(type_info(TensorType::f32).name) == "F32");
  CHECK(std::string(type_info(TensorType::f16).name) == "F16");
  CHECK(std::string(type_info(TensorType::q4_0).name) == "Q4_0");
  CHECK(std::string(type_info(TensorType::q8_0).name) == "Q8_0");
  CHECK(std::string(type_info(TensorType::q6_k).name) == "Q6_K");
  CHECK(std::string(type_info(TensorType::i8).name) == "I8");
  CHECK(std::string(type_info(TensorType::bf16).name) == "BF16");
  CHECK(std::string(type_info(TensorType::tq1_0).name) == "TQ1_0");
  CHECK(std::string(type_info(TensorType::tq2_0).name) == "TQ2_0");
  CHECK(std::string(type_info(TensorType::i2_s).name) == "I2_S");
  CHECK(std::string(type_info(TensorType::q4_k).name) == "Q4_K");
  CHECK(std::string(type_info(TensorType::q1_0).name) == "Q1_0");
  CHECK(std::string(type_info(TensorType::q2_0).name) == "Q2_0");
  CHECK(std::string(type_info(TensorType::q2_0_g128).name) == "Q2_0_G128");
  CHECK(std::string(type_info(TensorType::iq1_bn).name) == "IQ1_BN");
  CHECK(std::string(type_info(TensorType::iq2_bn).name) == "IQ2_BN");
  CHECK(std::string(type_info(TensorType::iq2_bn_r4).name) == "IQ2_BN_R4");
  CHECK(gguf_type_id(TensorType::q2_0_g128) == 42);
  CHECK(gguf_type_id(TensorType::iq2_bn_r4) == 335);
  size_t readable = 0;
  for (const TypeInfo& row : kTypeTable) readable += row.readable ? 1 : 0;
  CHECK(readable == 17);
}

TEST_CASE("tensor sizes follow the block layouts") {
  CHECK(tensor_bytes(type_info(TensorType::f32), 3, 5) == 60);
  CHECK(tensor_bytes(type_info(TensorType::q8_0), 64, 3) == 3 * 2 * 34);
  CHECK(tensor_bytes(type_info(TensorType::q4_0), 64, 3) == 3 * 2 * 18);
  CHECK(tensor_bytes(type_info(TensorType::q6_k), 512, 2) == 2 * 2 * 210);
  CHECK(tensor_bytes(type_info(TensorType::tq1_0), 256, 4) == 4 * 54);
  CHECK(tensor_bytes(type_info(TensorType::tq2_0), 256, 4) == 4 * 66);
  CHECK(tensor_bytes(type_info(TensorType::q2_0), 256, 4) == 16 * 18);
  CHECK(tensor_bytes(type_info(TensorType::q2_0_g128), 256, 4) == 8 * 34);
  CHECK(tensor_bytes(type_info(TensorType::iq1_bn), 128, 3) == 3 * (2 + 2 * 13));
  CHECK(tensor_bytes(type_info(TensorType::iq2_bn), 128, 3) == 3 * (4 + 128 / 4));
  CHECK(tensor_bytes(type_info(TensorType::iq2_bn_r4), 128, 4) == 16 + 128);
  CHECK_FALSE(tensor_bytes(type_info(TensorType::iq2_bn_r4), 128, 6));
}

TEST_CASE("I2_S is sized by the whole tensor, so its rows may straddle blocks") {
  const TypeInfo& i2_s = type_info(TensorType::i2_s);
  CHECK(tensor_bytes(i2_s, 2560, 2560) == 2560 * 2560 / 4 + 32);
  CHECK(tensor_bytes(i2_s, 8640, 3200) == 8640 * 3200 / 4 + 32);
  CHECK(tensor_bytes(i2_s, 64, 2) == 64);
  CHECK_FALSE(tensor_bytes(i2_s, 64, 3));
}

TEST_CASE("sizes that do not come out whole or do not fit give nothing") {
  CHECK_FALSE(tensor_bytes(type_info(TensorType::tq2_0), 255, 1));
  CHECK_FALSE(tensor_bytes(type_info(TensorType::f32), uint64_t{1} << 62, 1));
  CHECK_FALSE(tensor_bytes(type_info(TensorType::f32), uint64_t{1} << 32, uint64_t{1} << 32));
  CHECK_FALSE(tensor_bytes(row_named("IQ2_TN"), 256, 1));
  CHECK_FALSE(tensor_bytes(row_named("TL2"), 128, 256));
}

TEST_CASE("ids that forks use differently are told apart by the padded size") {
  // 4096 x 2 elements: I2_S has 2080 bytes, IQ4_NL_4_4 4608.
  CHECK(meaning(36, 4096, 2, 2080) == "I2_S");
  CHECK(meaning(36, 4096, 2, 2081) == "I2_S");
  CHECK(meaning(36, 4096, 2, 2111) == "I2_S");
  CHECK(meaning(36, 4096, 2, 2112) == "");
  CHECK(meaning(36, 4096, 2, 4608) == "IQ4_NL_4_4");
  CHECK(meaning(37, 4096, 2, 4608) == "IQ4_NL_4_8");
  CHECK(meaning(37, 4096, 2, 8192) == "I8_S");
  CHECK(meaning(38, 4096, 2, 2080) == "TL1");
  CHECK(meaning(38, 4096, 2, 4608) == "IQ4_NL_8_8");
  CHECK(meaning(39, 4096, 2, 4352) == "MXFP4");
  // (4096 - 256) * 2 / 3 * 5 / 8 + 256 * 2 / 2 * 4 / 8 = 1600 + 128, then 32 more.
  CHECK(meaning(39, 4096, 2, 1760) == "TL2");
  CHECK(meaning(39, 4096, 2, 2500) == "");
  // 4096 x 2: 128 blocks of 18 bytes, or 64 of 34.
  CHECK(meaning(42, 4096, 2, 2304) == "Q2_0");
  CHECK(meaning(42, 4096, 2, 2176) == "Q2_0_G128");
  CHECK(meaning(42, 4096, 2, 2240) == "");
  CHECK(resolve_type(42, 4096, 2, 2176, 32).type->type() == TensorType::q2_0_g128);
  // 64 x 32, with a scale a row and without.
  CHECK(meaning(134, 64, 32, 480) == "IQ1_BN");
  CHECK(meaning(134, 64, 32, 416) == "IQ1_BN without row scales");
  CHECK(meaning(135, 64, 32, 640) == "IQ2_BN");
  CHECK(meaning(135, 64, 32, 512) == "IQ2_BN without row scales");
}

TEST_CASE("an id with one meaning needs room for its bytes and tolerates more") {
  CHECK(resolve_type(35, 256, 1, 66, 32).bytes == 66);
  CHECK(resolve_type(35, 256, 1, 1000, 32).bytes == 66);
  CHECK(resolve_type(35, 256, 1, 65, 32).fit == TypeFit::no_room);
  CHECK(resolve_type(35, 255, 1, 1000, 32).fit == TypeFit::broken_blocks);
  CHECK(resolve_type(36, 4096, 2, 2079, 32).fit == TypeFit::no_room);
  CHECK(resolve_type(36, 4096, 2, 3000, 32).fit == TypeFit::unclear);
  CHECK(resolve_type(77, 256, 1, 100, 32).fit == TypeFit::unclear);
  CHECK(resolve_type(77, 256, 1, 0, 32).fit == TypeFit::no_room);
  CHECK(meaning(142, 256, 1, 100) == "IQ2_TN");
}
