// The tensor types of GGUF files: one table of their ids, names and sizes.
//
// Room: quant. Forks of the format gave some ids several meanings (36 to 39, 42), and one fork
// changed the rows of two of its types (134, 135); the table then has a row for each, and the
// reader of the file picks the row whose size matches the bytes that are there (resolve_type).
// Types that tern cannot read have rows too, so that an error can name them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tern/base/checked_math.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What a second meaning of an id adds to it in TensorType.
inline constexpr uint32_t kSecondMeaning = 0x10000;

/// A type that tern can decode, by its id in GGUF files (gguf_type_id).
enum class TensorType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q8_0 = 8,
  q4_k = 12,
  q6_k = 14,
  i8 = 24,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  i2_s = 36,
  q1_0 = 41,
  q2_0 = 42,
  iq1_bn = 134,
  iq2_bn = 135,
  iq2_bn_r4 = 335,
  q2_0_g128 = kSecondMeaning + 42,
  i8_planes = kSecondMeaning + 24,  // of no file: plane_codec.hpp
};

/// The id that files have for a type.
constexpr uint32_t gguf_type_id(TensorType type) {
  return static_cast<uint32_t>(type) % kSecondMeaning;
}

/// One meaning of a type id.
struct TypeInfo {
  /// How bytes follow from dimensions.
  enum class Size : uint8_t {
    rows_of_blocks,  ///< each row: header bytes, then whole blocks
    fours_of_rows,   ///< the same, four rows interleaved
    flat_with_tail,  ///< blocks over the whole tensor, then one 32-byte tail that holds the scale
    tl2,             ///< bitnet.cpp's TL2 formula
    unknown,         ///< known by name only
  };
  uint32_t id;
  const char* name;
  const char* refusal;  ///< a sentence for Error::what when a tensor of this type is needed
  bool readable;        ///< a TensorType: tern has a codec
  Size size;
  uint32_t block_elems;
  uint32_t block_bytes;
  uint32_t row_header_bytes;
  uint32_t meaning = 0;  ///< kSecondMeaning for a TensorType that is the second of its id

  /// Requires: readable.
  constexpr TensorType type() const { return static_cast<TensorType>(meaning + id); }
};

#define TERN_TYPE_ROW(ID, NAME, ADVICE, READABLE, SIZE, ELEMS, BYTES, HEADER)                 \
  {                                                                                           \
    ID, NAME, "tensor type " NAME " is not supported" ADVICE, READABLE, TypeInfo::Size::SIZE, \
        ELEMS, BYTES, HEADER                                                                  \
  }
#define TERN_READABLE(ID, NAME, ELEMS, BYTES) \
  TERN_TYPE_ROW(ID, NAME, "", true, rows_of_blocks, ELEMS, BYTES, 0)
#define TERN_NAMED(ID, NAME, ELEMS, BYTES) \
  TERN_TYPE_ROW(ID, NAME, "", false, rows_of_blocks, ELEMS, BYTES, 0)
// Their tiles have sizes that only the program that wrote them knows.
#define TERN_TILED(ID, NAME, SIZE, ELEMS, BYTES)                                                   \
  TERN_TYPE_ROW(ID, NAME, ": its tile sizes are not in the file; take the I2_S file of the model", \
                false, SIZE, ELEMS, BYTES, 0)
// As its fork wrote it before rows had scales.
#define TERN_BARE(ID, NAME, ELEMS, BYTES)                                                          \
  TERN_TYPE_ROW(ID, NAME " without row scales", ": convert the model anew", false, rows_of_blocks, \
                ELEMS, BYTES, 0)

/// Every known meaning of every id, ascending; the first row of an id is the likeliest meaning.
inline constexpr TypeInfo kTypeTable[] = {
    TERN_READABLE(0, "F32", 1, 4),
    TERN_READABLE(1, "F16", 1, 2),
    TERN_READABLE(2, "Q4_0", 32, 18),
    TERN_NAMED(3, "Q4_1", 32, 20),
    TERN_NAMED(6, "Q5_0", 32, 22),
    TERN_NAMED(7, "Q5_1", 32, 24),
    TERN_READABLE(8, "Q8_0", 32, 34),
    TERN_NAMED(9, "Q8_1", 32, 36),
    TERN_NAMED(10, "Q2_K", 256, 84),
    TERN_NAMED(11, "Q3_K", 256, 110),
    TERN_READABLE(12, "Q4_K", 256, 144),
    TERN_NAMED(13, "Q5_K", 256, 176),
    TERN_READABLE(14, "Q6_K", 256, 210),
    TERN_NAMED(15, "Q8_K", 256, 292),
    TERN_NAMED(16, "IQ2_XXS", 256, 66),
    TERN_NAMED(17, "IQ2_XS", 256, 74),
    TERN_NAMED(18, "IQ3_XXS", 256, 98),
    TERN_NAMED(19, "IQ1_S", 256, 50),
    TERN_NAMED(20, "IQ4_NL", 32, 18),
    TERN_NAMED(21, "IQ3_S", 256, 110),
    TERN_NAMED(22, "IQ2_S", 256, 82),
    TERN_NAMED(23, "IQ4_XS", 256, 136),
    TERN_READABLE(24, "I8", 1, 1),
    TERN_NAMED(25, "I16", 1, 2),
    TERN_NAMED(26, "I32", 1, 4),
    TERN_NAMED(27, "I64", 1, 8),
    TERN_NAMED(28, "F64", 1, 8),
    TERN_NAMED(29, "IQ1_M", 256, 56),
    TERN_READABLE(30, "BF16", 1, 2),
    TERN_NAMED(31, "Q4_0_4_4", 32, 18),
    TERN_NAMED(32, "Q4_0_4_8", 32, 18),
    TERN_NAMED(33, "Q4_0_8_8", 32, 18),
    TERN_READABLE(34, "TQ1_0", 256, 54),
    TERN_READABLE(35, "TQ2_0", 256, 66),
    TERN_TYPE_ROW(36, "I2_S", "", true, flat_with_tail, 128, 32, 0),
    TERN_NAMED(36, "IQ4_NL_4_4", 32, 18),
    TERN_NAMED(37, "IQ4_NL_4_8", 32, 18),
    TERN_NAMED(37, "I8_S", 1, 1),
    TERN_TILED(38, "TL1", flat_with_tail, 128, 32),
    TERN_NAMED(38, "IQ4_NL_8_8", 32, 18),
    TERN_NAMED(39, "MXFP4", 32, 17),
    TERN_TILED(39, "TL2", tl2, 1, 0),
    TERN_NAMED(40, "NVFP4", 64, 36),
    TERN_READABLE(41, "Q1_0", 128, 18),
    TERN_READABLE(42, "Q2_0", 64, 18),
    {42, "Q2_0_G128", "tensor type Q2_0_G128 is not supported", true,
     TypeInfo::Size::rows_of_blocks, 128, 34, 0, kSecondMeaning},
    TERN_NAMED(133, "Q6_0", 32, 26),
    TERN_TYPE_ROW(134, "IQ1_BN", "", true, rows_of_blocks, 64, 13, 2),
    TERN_BARE(134, "IQ1_BN", 64, 13),
    TERN_TYPE_ROW(135, "IQ2_BN", "", true, rows_of_blocks, 64, 16, 4),
    TERN_BARE(135, "IQ2_BN", 64, 16),
    TERN_TYPE_ROW(142, "IQ2_TN", "", false, unknown, 1, 0, 0),
    TERN_TYPE_ROW(143, "IQ1_TN", "", false, unknown, 1, 0, 0),
    TERN_TYPE_ROW(335, "IQ2_BN_R4", "", true, fours_of_rows, 64, 16, 4),
};

#undef TERN_TYPE_ROW
#undef TERN_READABLE
#undef TERN_NAMED
#undef TERN_TILED
#undef TERN_BARE

/// What no file holds is not in the table.
inline constexpr TypeInfo kPlanesInfo = {
    24, "I8_PLANES", "", true, TypeInfo::Size::unknown, 1, 0, 0, kSecondMeaning};

/// The row of a type that tern can decode.
constexpr const TypeInfo& type_info(TensorType type) {
  if (type == TensorType::i8_planes) return kPlanesInfo;
  for (const TypeInfo& row : kTypeTable) {
    if (row.readable && row.type() == type) return row;
  }
  __builtin_unreachable();
}

/// Bytes of a tensor of `rows` rows of `ne0` elements.
/// Nothing when the blocks do not come out whole, the size overflows or the rule is unknown.
constexpr std::optional<uint64_t> tensor_bytes(const TypeInfo& type, uint64_t ne0, uint64_t rows) {
  const auto elems = checked_mul(ne0, rows);
  if (!elems) return std::nullopt;
  switch (type.size) {
    case TypeInfo::Size::fours_of_rows:
      if (rows % 4 != 0) return std::nullopt;
      [[fallthrough]];
    case TypeInfo::Size::rows_of_blocks: {
      if (ne0 % type.block_elems != 0) return std::nullopt;
      const auto blocks_bytes = checked_mul(ne0 / type.block_elems, type.block_bytes);
      if (!blocks_bytes) return std::nullopt;
      const auto row_bytes = checked_add(*blocks_bytes, type.row_header_bytes);
      if (!row_bytes) return std::nullopt;
      return checked_mul(*row_bytes, rows);
    }
    case TypeInfo::Size::flat_with_tail:
      if (*elems % type.block_elems != 0) return std::nullopt;
      return *elems / type.block_elems * type.block_bytes + 32;
    case TypeInfo::Size::tl2: {
      // Three weights to five bits except in the last 256 columns, which are two to four bits.
      if (ne0 < 256 || *elems > (uint64_t{1} << 56)) return std::nullopt;
      const uint64_t bytes = (ne0 - 256) * rows / 3 * 5 / 8 + 256 * rows / 2 * 4 / 8;
      return round_up(bytes, uint64_t{32}) + 32;
    }
    case TypeInfo::Size::unknown: break;
  }
  return std::nullopt;
}

/// Whether a meaning was found for a type id, and if not, why.
enum class TypeFit : uint8_t {
  found,
  unclear,        ///< the id is unknown, or has several meanings and the size confirms none
  broken_blocks,  ///< the dimensions do not fill whole blocks, or their product is too large
  no_room,        ///< the tensor needs more bytes than there are
};

/// What a type id of a file means for a tensor.
struct ResolvedType {
  TypeFit fit = TypeFit::unclear;
  const TypeInfo* type = nullptr;  ///< null unless found
  uint64_t bytes = 0;              ///< the size of the tensor by that meaning
};

/// Chooses the meaning of `id` for a tensor that has `room` bytes, up to the next tensor or the end
/// of the data. An id with one meaning needs `room` to hold it; of an id with several, the first
/// one whose padded size is all of `room` is meant.
constexpr ResolvedType resolve_type(uint32_t id, uint64_t ne0, uint64_t rows, uint64_t room,
                                    uint64_t alignment) {
  size_t meanings = 0;
  size_t broken = 0;
  size_t too_large = room == 0 ? 1 : 0;  // no tensor is empty
  for (const TypeInfo& row : kTypeTable) meanings += row.id == id ? 1 : 0;
  for (const TypeInfo& row : kTypeTable) {
    if (row.id != id || room == 0) continue;
    const auto bytes = row.size == TypeInfo::Size::unknown ? std::optional<uint64_t>(room)
                                                           : tensor_bytes(row, ne0, rows);
    if (!bytes) {
      ++broken;
    } else if (*bytes > room) {
      ++too_large;
    } else if (meanings == 1 || room - *bytes < alignment) {
      return {TypeFit::found, &row, *bytes};
    }
  }
  if (room != 0 && broken + too_large < meanings) return {};
  if (too_large != 0) return {TypeFit::no_room};
  return {meanings != 0 ? TypeFit::broken_blocks : TypeFit::unclear};
}

TERN_NAMESPACE_END
