// The parts of a compiled chat template.
//
// Room: text. A tree in one array: nodes refer to each other by index, 0 being none, and the
// elements of a list are chained by `next`. Texts are stretches of one pool: the template itself,
// and behind it the strings whose escapes were undone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// What a node is, and what its a, b, c and op hold. "text" in two fields is a stretch of the pool.
enum class TemplateKind : uint8_t {
  nothing,
  // Statements.
  literal,      ///< a b: text, printed as it is
  output,       ///< a: expression
  choice,       ///< a: branches
  branch,       ///< a: condition, 0 for else; b: statements
  loop,         ///< a: names; b: what is looped over; c: loop_parts
  loop_parts,   ///< a: filter or 0; b: statements; c: statements if there is nothing
  assign,       ///< a: name or attribute; b: value
  capture,      ///< a: name or attribute; b: statements
  group,        ///< a: statements
  macro,        ///< a: name; b: parameters; c: statements
  parameter,    ///< a b: text, the name; c: default or 0
  leave,        ///< break
  continue_on,  ///< continue
  // Expressions.
  name,         ///< a b: text
  string,       ///< a b: text
  integer,      ///< a b: the low and the high half
  boolean,      ///< a: 0 or 1
  none,         ///<
  list,         ///< a: elements
  dict,         ///< a: pairs
  pair,         ///< a: key; b: value
  attribute,    ///< a: object; b c: text
  item,         ///< a: object; b: index
  slice,        ///< a: object; b: slice_parts
  slice_parts,  ///< a: start; b: stop; c: step; each 0 where absent
  call,         ///< a: what is called; b: arguments
  argument,     ///< a: value; b c: text, the name, empty for one by position
  filter,       ///< a: object; b: arguments; op: row of kTemplateFilters
  test,         ///< a: object; b: arguments; op: row of kTemplateTests
  negation,     ///< a: operand
  minus,        ///< a: operand
  condition,    ///< a: if so; b: condition; c: if not, or 0
  chain,        ///< a: first operand; b: links, which are applied in turn
  link,         ///< a: operand; op: TemplateOperator
};

enum class TemplateOperator : uint8_t {
  logical_or,
  logical_and,
  equal,
  unequal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  in,
  not_in,
  add,
  subtract,
  join,
  multiply,
  divide,  ///< floor
  remainder,
};

struct TemplateNode {
  TemplateKind kind = TemplateKind::nothing;
  uint8_t op = 0;
  uint32_t where = 0;  ///< the byte of the template
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
  uint32_t next = 0;  ///< the element behind this one
};

/// A compiled template. Immutable.
struct TemplateProgram {
  explicit TemplateProgram(const AllocatorHooks& hooks) : pool(hooks), nodes(hooks) {}

  Vector<char> pool;
  Vector<TemplateNode> nodes;  // [0] is none
  uint32_t first = 0;          // of the statements
  uint32_t source_bytes = 0;   // of the pool: the template

  std::string_view text(uint32_t begin, uint32_t size) const { return {pool.data() + begin, size}; }
  std::string_view source() const { return text(0, source_bytes); }
};

}  // namespace detail

TERN_NAMESPACE_END
