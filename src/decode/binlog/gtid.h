// Global transaction ids: single ones, and sets with the arithmetic that continuity is proven by.
// Source: MySQL 9.x manual, "GTID Format and Storage" (tags from 8.3); MariaDB's "Global Transaction ID".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hakobu::binlog {

// Of the server that wrote the transaction: a UUID ("3e11fa47-71ca-11e1-9e33-c80aa9429562"), with ":tag"
// behind it where the transaction has one.
struct Gtid {
  std::string source;
  uint64_t number = 0;
  std::string Text() const;  // "uuid:7", "uuid:tag:7"
};

// "…" of 16 raw bytes.
std::string UuidText(std::string_view bytes);

// A MySQL GTID set. Copyable; intervals are kept sorted, disjoint and joined where they touch.
class GtidSet {
 public:
  // "uuid:1-5:7, uuid2:tag:1-3:other_tag:4". InvalidArgument names the part that is no GTID. "" is the empty
  // set.
  static absl::StatusOr<GtidSet> Parse(std::string_view text);
  // PREVIOUS_GTIDS' body, and COM_BINLOG_DUMP_GTID's form, both formats (untagged and tagged).
  static absl::StatusOr<GtidSet> FromBytes(std::string_view bytes);
  // The untagged form, or the tagged one where a source has a tag.
  std::string ToBytes() const;
  std::string Text() const;

  void Add(const Gtid& gtid) { AddInterval(gtid.source, gtid.number, gtid.number); }
  void AddInterval(const std::string& source, uint64_t first, uint64_t last);
  void Add(const GtidSet& other);
  void Subtract(const GtidSet& other);
  bool Contains(const Gtid& gtid) const;
  bool Contains(const GtidSet& other) const;
  bool empty() const { return sources_.empty(); }
  // Of each source, every number up to its last one.
  GtidSet UpToLast() const;
  uint64_t Count() const;
  friend bool operator==(const GtidSet&, const GtidSet&) = default;

 private:
  struct Interval {
    uint64_t first, last;  // both included
    friend bool operator==(const Interval&, const Interval&) = default;
  };
  std::map<std::string, std::vector<Interval>> sources_;
};

}  // namespace hakobu::binlog
