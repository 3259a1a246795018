// Collects what is wrong with one file, by key path and place, so that it can be said all at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "config/load.h"
#include "config/tenants/tenant.h"

namespace hakobu {

class ConfigProblems {
 public:
  void SetPlace(const std::string& key, Place place) { keys_[key].place = std::move(place); }
  // The key's value, as it is written; SetPlace was before.
  void SetText(const std::string& key, std::string text) { keys_[key].text = std::move(text); }
  // Where the key stands, else its nearest parent that does.
  Place PlaceOf(std::string key) const;
  // True when the file itself has this key.
  bool Has(const std::string& key) const { return keys_.contains(key); }

  void Add(Place place, std::string key, std::string expected, std::string found, std::string hint = "");
  void Add(const std::string& key, std::string expected, std::string found, std::string hint = "") {
    Add(PlaceOf(key), key, std::move(expected), std::move(found), std::move(hint));
  }
  bool empty() const { return problems_.empty(); }
  // Whether something is wrong with the key or what is under it; "": with the file as a whole.
  bool Concerns(std::string_view key) const;
  const WrittenKeys& keys() const { return keys_; }
  // InvalidArgument with every problem, in the files' order, one a line; OK when there is none.
  absl::Status ToStatus(std::string_view path) const;

 private:
  WrittenKeys keys_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace hakobu
