// Runs a compiled chat template: statements, scopes, macros.
//
// Room: text. Names are looked up from the innermost scope outwards: each turn of a loop and each
// call of a macro is a scope, a choice is none. A macro sees its own names and those of the
// template's top. All work is counted and all memory limited (TemplateMemory), so any template
// ends.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "tern/text/template_node.hpp"
#include "tern/text/template_routines.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

class TemplateRunner {
 public:
  /// Both must stay; what the template writes is in memory.writer.
  TemplateRunner(const TemplateProgram& program, TemplateMemory& memory)
      : program_(program),
        memory_(memory),
        top_(memory.hooks()),
        locals_(memory.hooks()),
        operands_(memory.hooks()) {}

  /// Gives a name to the template.
  void define(std::string_view name, const TemplateValue& value) { top_.push_back({name, value}); }

  /// Errors: unsupported (what tern does not have, or a limit), invalid_argument (the template
  ///   refuses the conversation, or stumbles over it); at a byte of the template, quoting it.
  Result<void> run() {
    TERN_TRY(run_statements(program_.first));
    return {};
  }

 private:
  struct Binding {
    std::string_view name;
    TemplateValue value;
  };
  enum class Flow : uint8_t { onward, leave, continue_on };

  // Names of its own from here to the end of the block.
  class Scope {
   public:
    Scope(TemplateRunner& runner, bool is_macro)
        : runner_(runner),
          begin_(runner.scope_begin_),
          visible_(runner.visible_begin_),
          depth_(runner.scope_depth_),
          size_(runner.locals_.size()) {
      runner.scope_begin_ = size_;
      if (is_macro) runner.visible_begin_ = size_;
      ++runner.scope_depth_;
    }
    ~Scope() {
      runner_.locals_.erase(runner_.locals_.begin() + static_cast<std::ptrdiff_t>(size_),
                            runner_.locals_.end());
      runner_.scope_begin_ = begin_;
      runner_.visible_begin_ = visible_;
      runner_.scope_depth_ = depth_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    TemplateRunner& runner_;
    size_t begin_, visible_, depth_, size_;
  };

  const TemplateNode& node(uint32_t index) const { return program_.nodes[index]; }
  std::string_view text_ab(const TemplateNode& n) const { return program_.text(n.a, n.b); }
  std::string_view text_bc(const TemplateNode& n) const { return program_.text(n.b, n.c); }

  /// The error with its place in the template, and what stands there.
  Error placed(Error error, const TemplateNode& at) const {
    if (error.has_where() || error.status == Status::out_of_memory) return error;
    constexpr size_t kQuoted = 24;
    const std::string_view rest = program_.source().substr(at.where);
    const size_t line = std::min(std::min(rest.find('\n'), rest.size()), kQuoted);
    if (!error.has_subject()) return {error.status, error.what, rest.substr(0, line), at.where};
    error.where = at.where;
    return error;
  }

  Result<Flow> run_statements(uint32_t first) {
    const TemplateDepth depth(memory_);
    TERN_TRY(depth.check());
    for (uint32_t i = first; i != 0; i = node(i).next) {
      const Result<Flow> flow = run_statement(node(i));
      if (!flow.ok()) return placed(flow.error(), node(i));
      if (*flow != Flow::onward) return *flow;
    }
    return Flow::onward;
  }

  Result<Flow> run_statement(const TemplateNode& n) {
    TERN_TRY(memory_.charge(1));
    switch (n.kind) {
      case TemplateKind::literal: TERN_TRY(memory_.writer.append({text_ab(n)})); break;
      case TemplateKind::output: {
        TERN_TRY_ASSIGN(const TemplateValue value, evaluate(n.a));
        TERN_TRY(write_value(memory_, value));
        break;
      }
      case TemplateKind::choice: return run_choice(n.a);
      case TemplateKind::loop: return run_loop(n);
      case TemplateKind::assign: {
        TERN_TRY_ASSIGN(const TemplateValue value, evaluate(n.b));
        TERN_TRY(assign(node(n.a), value));
        break;
      }
      case TemplateKind::capture: {
        const size_t begin = memory_.writer.size();
        TERN_TRY_ASSIGN(const Flow flow, run_statements(n.b));
        TERN_TRY_ASSIGN(const TemplateValue value, memory_.cut(begin));
        if (flow != Flow::onward) return flow;
        TERN_TRY(assign(node(n.a), value));
        break;
      }
      case TemplateKind::group: return run_statements(n.a);
      case TemplateKind::macro: {
        const auto index = static_cast<int64_t>(&n - program_.nodes.data());
        TERN_TRY(assign(node(n.a), {.type = TemplateType::macro, .number = index}));
        break;
      }
      case TemplateKind::leave: return Flow::leave;
      case TemplateKind::continue_on: return Flow::continue_on;
      default: return Error(Status::internal, "a node of a chat template is no statement");
    }
    return Flow::onward;
  }

  Result<Flow> run_choice(uint32_t first) {
    for (uint32_t i = first; i != 0; i = node(i).next) {
      bool holds = true;
      if (node(i).a != 0) {
        TERN_TRY_ASSIGN(const TemplateValue condition, evaluate(node(i).a));
        holds = is_true(condition);
      }
      if (holds) return run_statements(node(i).b);
    }
    return Flow::onward;
  }

  Result<Flow> run_loop(const TemplateNode& n) {
    const TemplateNode& parts = node(n.c);
    TERN_TRY_ASSIGN(const TemplateValue whole, evaluate(n.b));
    TERN_TRY_ASSIGN(TemplateValue items, iterate(memory_, whole));
    if (parts.a != 0) {
      TERN_TRY_ASSIGN(items, filter_items(n, items));
    }
    if (items.size == 0) return run_statements(parts.c);
    TERN_TRY_ASSIGN(const std::span<TemplateLoop> loop, memory_.allocate<TemplateLoop>(1));
    loop[0].items = items.items();
    for (; loop[0].index < items.size; ++loop[0].index) {
      const Scope scope(*this, false);
      locals_.push_back({"loop", {.type = TemplateType::loop, .data = loop.data()}});
      TERN_TRY(bind_names(n.a, items.items()[loop[0].index]));
      TERN_TRY(memory_.charge(1));
      TERN_TRY_ASSIGN(const Flow flow, run_statements(parts.b));
      if (flow == Flow::leave) break;
    }
    return Flow::onward;
  }

  // The items for which the loop's filter holds.
  Result<TemplateValue> filter_items(const TemplateNode& n, const TemplateValue& items) {
    TERN_TRY_ASSIGN(const auto kept, memory_.allocate<TemplateValue>(items.size));
    size_t count = 0;
    for (const TemplateValue& item : items.items()) {
      const Scope scope(*this, false);
      TERN_TRY(bind_names(n.a, item));
      TERN_TRY_ASSIGN(const TemplateValue holds, evaluate(node(n.c).a));
      if (is_true(holds)) kept[count++] = item;
    }
    return TemplateValue::of_list(kept.first(count));
  }

  // One name is the item, several are its elements.
  Result<void> bind_names(uint32_t first, const TemplateValue& item) {
    if (node(first).next == 0) {
      locals_.push_back({text_ab(node(first)), item});
      return {};
    }
    size_t n = 0;
    for (uint32_t i = first; i != 0; i = node(i).next) {
      if (!item.is(TemplateType::list) || n == item.size) break;
      locals_.push_back({text_ab(node(i)), item.items()[n++]});
      if (node(i).next == 0 && n == item.size) return {};
    }
    return wrong_type("a loop has not as many names as its elements have parts");
  }

  Result<void> assign(const TemplateNode& target, const TemplateValue& value) {
    if (target.kind == TemplateKind::attribute) {
      TERN_TRY_ASSIGN(const TemplateValue object, evaluate(target.a));
      if (!object.is(TemplateType::space))
        return wrong_type("only a namespace's fields can be set");
      return set_field(object, text_bc(target), value);
    }
    const std::string_view name = text_ab(target);
    Vector<Binding>& bindings = scope_depth_ == 0 ? top_ : locals_;
    const size_t begin = scope_depth_ == 0 ? 0 : scope_begin_;
    TERN_TRY(memory_.charge(1 + (bindings.size() - begin) / 8));
    for (size_t i = begin; i < bindings.size(); ++i) {
      if (bindings[i].name == name) {
        bindings[i].value = value;
        return {};
      }
    }
    bindings.push_back({name, value});
    return {};
  }

  Result<void> set_field(const TemplateValue& space, std::string_view name,
                         const TemplateValue& value) {
    // Namespaces live in the run's memory; only their handle is const.
    auto* fields = static_cast<TemplateSpace*>(const_cast<void*>(space.data));
    TERN_TRY(memory_.charge(1 + fields->n_fields / 8));
    TemplateField* field = fields->find(name);
    if (field == nullptr) {
      TERN_TRY_ASSIGN(const auto made, memory_.allocate<TemplateField>(1));
      field = made.data();
      *field = {name, {}, fields->first};
      fields->first = field;
      ++fields->n_fields;
    }
    field->value = value;
    return {};
  }

  Result<TemplateValue> look_up(std::string_view name) {
    TERN_TRY(memory_.charge((locals_.size() - visible_begin_ + top_.size()) / 8));
    for (size_t i = locals_.size(); i > visible_begin_; --i) {
      if (locals_[i - 1].name == name) return locals_[i - 1].value;
    }
    for (const Binding& binding : top_) {
      if (binding.name == name) return binding.value;
    }
    const TemplateRoutine* row = find_routine(kTemplateFunctions, name);
    if (row == nullptr) return TemplateValue();
    return TemplateValue{.type = TemplateType::function,
                         .number = row - std::begin(kTemplateFunctions)};
  }

  // Expressions: template_run.inl.hpp.
  Result<TemplateValue> evaluate(uint32_t index);
  Result<TemplateValue> evaluate_node(const TemplateNode& n);
  Result<TemplateValue> evaluate_list(const TemplateNode& n);
  Result<TemplateValue> evaluate_dict(const TemplateNode& n);
  Result<TemplateValue> evaluate_slice(const TemplateNode& n);
  Result<TemplateValue> evaluate_chain(const TemplateNode& n);
  Result<TemplateValue> evaluate_comparisons(const TemplateNode& n, TemplateValue left);
  Result<TemplateValue> evaluate_sum(const TemplateNode& n, const TemplateValue& first);
  Result<bool> compare(TemplateOperator op, const TemplateValue& a, const TemplateValue& b);
  Result<TemplateValue> attribute_of(const TemplateValue& object, std::string_view name);
  Result<TemplateValue> loop_field(const TemplateLoop& loop, std::string_view name);
  Result<Vector<TemplateArgument>> evaluate_arguments(uint32_t first);
  Result<TemplateValue> run_routine(const TemplateRoutine& routine, const TemplateValue& object,
                                    uint32_t arguments);
  Result<TemplateValue> call(const TemplateNode& n);
  Result<TemplateValue> call_method(const TemplateNode& callee, uint32_t arguments);
  Result<TemplateValue> call_value(const TemplateValue& function, std::string_view name,
                                   uint32_t arguments);
  Result<TemplateValue> call_macro(const TemplateNode& macro, uint32_t arguments);
  Result<TemplateValue> make_space(uint32_t arguments);

  const TemplateProgram& program_;
  TemplateMemory& memory_;
  Vector<Binding> top_;             // outside all scopes
  Vector<Binding> locals_;          // of all scopes that are open, the innermost last
  Vector<TemplateValue> operands_;  // of the sums being made
  size_t scope_begin_ = 0;          // of locals_: the innermost scope
  size_t visible_begin_ = 0;        // of locals_: what the innermost macro sees
  size_t scope_depth_ = 0;
};

}  // namespace detail

TERN_NAMESPACE_END

#include "tern/text/template_run.inl.hpp"  // IWYU pragma: export
