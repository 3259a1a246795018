// A table that is gone from the source, and one that nobody has delivered yet: whether they may be the same
// table under another name, and what would then be shown that was not. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "delivery/contract/contract.h"

namespace hakobu {

enum class RenamedOutcome : uint8_t {
  kOther,   // two tables
  kSame,    // may be the same, and nothing more of it is shown
  kWeaker,  // may be the same, and what was left out, masked or filtered would come in clear
};

struct RenamedVerdict {
  RenamedOutcome outcome = RenamedOutcome::kOther;
  std::string reason;  // of kWeaker: "column `mail` was masked by sha256"
};

// Nobody tells what became of a table between two runs. Half of the columns' names, and all that were hidden,
// are enough for one to be taken for the other: a refusal costs a line in the configuration, the other
// mistake cannot be taken back.
RenamedVerdict JudgeRenamed(const TableContract& gone, const TableContract& appeared);

}  // namespace hakobu
