// Walks a YAML tree along the table of keys and fills the structs; every departure becomes a problem.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/keys.h"
#include "config/problems.h"

namespace YAML {
class Node;
}

namespace hakobu {

class SectionReader {
 public:
  // `text` is what the tree was parsed from; `folder` is where relative ${file:…} start. All must outlive it.
  SectionReader(std::string_view text, std::string folder, const Environment& environment, SecretUse secrets,
                ConfigProblems* problems)
      : text_(text),
        folder_(std::move(folder)),
        environment_(environment),
        secrets_(secrets),
        problems_(problems) {}

  // `path` is the key path of `node`, "" for the root.
  void Read(const Section& section, const YAML::Node& node, const std::string& path, void* object);

 private:
  struct Entry;

  std::vector<Entry> Entries(const YAML::Node& node, const std::string& path);
  void AddMerged(const YAML::Node& merged, const std::string& path, std::vector<Entry>* entries);
  void ReadKey(const Key& key, const Entry& entry, const std::string& path, void* object);
  void ReadNested(const Key& key, const Entry& entry, const std::string& path, void* object);
  void ReadList(const Key& key, const YAML::Node& node, const std::string& path, void* object);
  void ReadMap(const Key& key, const YAML::Node& node, const std::string& path, void* object);
  void RefuseUnknown(const Section& section, const Entry& entry, const std::string& path);
  void RefuseMissing(const Key& key, const std::string& path);
  // The scalar's text after ${…}; nullopt when a problem was added.
  std::optional<std::string> ScalarText(const Key& key, const YAML::Node& node, const std::string& path);
  std::optional<KeyValue> ScalarValue(const Key& key, const YAML::Node& node, const std::string& path);
  std::optional<KeyValue> ListValue(const Key& key, const YAML::Node& node, const std::string& path);
  std::optional<KeyValue> MapValue(const Key& key, const YAML::Node& node, const std::string& path);
  void Mismatch(const Key& key, const YAML::Node& node, const std::string& path, std::string hint = "");
  bool IsWrittenNull(const YAML::Node& node) const;
  std::string Found(const YAML::Node& node) const;

  std::string_view text_;
  std::string folder_;
  const Environment& environment_;
  SecretUse secrets_;
  ConfigProblems* problems_;
};

}  // namespace hakobu
