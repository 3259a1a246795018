// Collects what is wrong with one file, by key path and place, so that it can be said all at once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "config/load.h"

namespace hakobu {

// 1-based; columns count bytes.
struct Place {
  int line = 0;
  int column = 0;
};

class ConfigProblems {
 public:
  void SetPlace(const std::string& key, Place place) { places_[key] = place; }
  // Where the key stands, else its nearest parent that does.
  Place PlaceOf(std::string key) const;
  // True when the file itself has this key.
  bool Has(const std::string& key) const { return places_.contains(key); }

  void Add(Place place, std::string key, std::string expected, std::string found, std::string hint = "");
  void Add(const std::string& key, std::string expected, std::string found, std::string hint = "") {
    Add(PlaceOf(key), key, std::move(expected), std::move(found), std::move(hint));
  }
  bool empty() const { return problems_.empty(); }
  // Whether something is wrong with the key or what is under it; "": with the file as a whole.
  bool Concerns(std::string_view key) const;
  // InvalidArgument with every problem, in the file's order, one a line; OK when there is none.
  absl::Status ToStatus(std::string_view path) const;

 private:
  std::map<std::string, Place> places_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace hakobu
