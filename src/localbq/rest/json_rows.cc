#include "localbq/rest/json_rows.h"

#include <nlohmann/json.hpp>

namespace hakobu::localbq::rest {
namespace {

using Kind = JsonValue::Kind;

// nlohmann's events into JsonValue: its own tree would turn long decimals into doubles.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(JsonValue* root) { open_.push_back(root); }

  bool null() override { return Put({}); }
  bool boolean(bool value) override { return Put({.kind = Kind::kBool, .text = value ? "true" : "false"}); }
  bool number_integer(int64_t value) override {
    return Put({.kind = Kind::kNumber, .text = std::to_string(value)});
  }
  bool number_unsigned(uint64_t value) override {
    return Put({.kind = Kind::kNumber, .text = std::to_string(value)});
  }
  bool number_float(double, const std::string& text) override {
    return Put({.kind = Kind::kNumber, .text = text});
  }
  bool string(std::string& value) override { return Put({.kind = Kind::kString, .text = std::move(value)}); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Kind::kObject); }
  bool start_array(size_t) override { return Open(Kind::kArray); }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& exception) override {
    error = exception.what();
    return false;
  }

  std::string error;

 private:
  bool Put(JsonValue value) {
    Slot() = std::move(value);
    return true;
  }
  bool Open(Kind kind) {
    JsonValue& value = Slot();
    value.kind = kind;
    open_.push_back(&value);
    return open_.size() < 500;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  JsonValue& Slot() {
    JsonValue& parent = *open_.back();
    if (open_.size() == 1) return parent;
    if (parent.kind == Kind::kArray) return parent.elements.emplace_back();
    return parent.members.emplace_back(std::move(key_), JsonValue()).second;
  }

  std::vector<JsonValue*> open_;  // [0] is the root's place, not yet a container
  std::string key_;
};

class Storer {
 public:
  Storer(RowFiller* filler, UnknownFields unknown, JsonStrings strings, std::vector<RowProblem>* problems)
      : filler_(filler), unknown_(unknown), strings_(strings), problems_(problems) {}

  void Fields(const JsonValue& object, const std::vector<ColumnSink*>& sinks, idx_t slot,
              const std::string& path) {
    for (const auto& [name, value] : object.members) {
      ColumnSink* sink = nullptr;
      for (ColumnSink* candidate : sinks) {
        if (SameName(candidate->column().name, name)) sink = candidate;
      }
      if (sink == nullptr) {
        if (unknown_ == UnknownFields::kRefuse)
          Problem(path + name, fmt::format("no such field: {}.", path + name));
        continue;
      }
      Field(value, sink, slot, path + sink->column().name);
      if (path.empty() && value.kind == Kind::kNull) filler_->NoteNull(IndexOf(sink));
    }
    for (const ColumnSink* sink : sinks) {
      const bool is_missing = sink->column().mode == Mode::kRequired && !sink->IsSet(slot);
      if (is_missing && !(path.empty() && filler_->TakesDefault(IndexOf(sink)))) {
        Problem(path + sink->column().name,
                fmt::format("Missing required field: {}.", path + sink->column().name));
      }
    }
  }

 private:
  // Of one of the table's own columns.
  size_t IndexOf(const ColumnSink* sink) const { return static_cast<size_t>(sink - filler_->sinks().data()); }
  void Problem(std::string location, std::string message) {
    problems_->push_back({std::move(location), std::move(message)});
  }

  void Field(const JsonValue& value, ColumnSink* sink, idx_t slot, const std::string& path) {
    if (!sink->is_list()) {
      if (value.kind == Kind::kArray && sink->column().type != Type::kJson) {
        Problem(path, "Array specified for non-repeated field.");
        return;
      }
      Element(value, sink, slot, path);
      return;
    }
    if (value.kind == Kind::kNull) return;
    if (value.kind != Kind::kArray) {
      const idx_t at = sink->PushElement(slot);  // one value is a list of one
      Element(value, &sink->child(0), at, path);
      return;
    }
    for (const JsonValue& element : value.elements) {
      if (element.kind == Kind::kNull) {
        Problem(path, "Only optional fields can be set to NULL.");
        return;
      }
      const idx_t at = sink->PushElement(slot);
      Element(element, &sink->child(0), at, path);
    }
  }

  void Element(const JsonValue& value, ColumnSink* sink, idx_t slot, const std::string& path) {
    if (value.kind == Kind::kNull && sink->column().type != Type::kJson) return;
    const Type type = sink->column().type;
    if (type == Type::kJson) {
      if (value.kind == Kind::kNull) return;
      const bool as_text = value.kind == Kind::kString && strings_ == JsonStrings::kAreText;
      Text(as_text ? value.text : value.ToText(), sink, slot, path);
    } else if (type == Type::kRecord) {
      if (value.kind != Kind::kObject) {
        Problem(path, "This field: " + path + " is a record.");
        return;
      }
      sink->SetValid(slot);
      std::vector<ColumnSink*> children;
      for (size_t i = 0; i < sink->child_count(); ++i) children.push_back(&sink->child(i));
      Fields(value, children, slot, path + ".");
    } else if (type == Type::kRange && value.kind == Kind::kObject) {
      sink->SetValid(slot);
      for (size_t i = 0; i < 2; ++i) {
        const JsonValue* bound = value.Find(sink->child(i).column().name);
        if (bound != nullptr) Element(*bound, &sink->child(i), slot, path);
      }
    } else if (value.kind == Kind::kObject || value.kind == Kind::kArray) {
      Problem(path, "This field: " + path + " is not a record.");
    } else {
      Text(value.text, sink, slot, path);
    }
  }

  void Text(std::string_view text, ColumnSink* sink, idx_t slot, const std::string& path) {
    if (!StoreText(filler_->arena().Copy(text), slot, sink, filler_->context()))
      Problem(path, filler_->error());
  }

  RowFiller* filler_;
  const UnknownFields unknown_;
  const JsonStrings strings_;
  std::vector<RowProblem>* problems_;
};

}  // namespace

const JsonValue* JsonValue::Find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string JsonValue::ToText() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
    case Kind::kNumber:
      return text;
    case Kind::kString:
      return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    case Kind::kArray: {
      std::string result = "[";
      for (const JsonValue& element : elements) result += (result.size() > 1 ? "," : "") + element.ToText();
      return result + "]";
    }
    case Kind::kObject: {
      std::string result = "{";
      for (const auto& [name, value] : members) {
        result += (result.size() > 1 ? "," : "") +
                  nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + ":" +
                  value.ToText();
      }
      return result + "}";
    }
  }
  return "null";
}

bool ParseJson(std::string_view text, JsonValue* value, std::string* error) {
  Builder builder(value);
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return true;
  *error = builder.error.empty() ? "nested too deep" : builder.error;
  return false;
}

void StoreJsonRow(const JsonValue& row, RowFiller* filler, UnknownFields unknown, JsonStrings strings,
                  std::vector<RowProblem>* problems) {
  std::vector<ColumnSink*> sinks;
  for (ColumnSink& sink : filler->sinks()) sinks.push_back(&sink);
  Storer(filler, unknown, strings, problems).Fields(row, sinks, filler->slot(), "");
}

}  // namespace hakobu::localbq::rest
