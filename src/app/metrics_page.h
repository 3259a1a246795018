// A page of metrics in Prometheus' text format
// [prometheus.io/docs/instrumenting/exposition_formats/#text-based-format].
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace hakobu {

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// A label's value: backslash, quote and line feed are escaped, everything else is UTF-8 as it is.
std::string EscapedLabel(std::string_view value);

class MetricsPage {
 public:
  // One metric: its samples follow.
  void Metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    head_ = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  template <typename Value>
  void Sample(const MetricLabels& labels, Value value) {
    text_ += std::exchange(head_, "") + name_;
    char before = '{';
    for (const auto& [label, text] : labels) {
      text_ += fmt::format("{}{}=\"{}\"", before, label, EscapedLabel(text));
      before = ',';
    }
    if (labels.size() > 0) text_ += '}';
    text_ += fmt::format(" {}\n", value);
  }
  template <typename Value>
  void Only(std::string_view name, std::string_view type, std::string_view help, Value value) {
    Metric(name, type, help);
    Sample({}, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string name_, head_, text_;
};

}  // namespace hakobu
