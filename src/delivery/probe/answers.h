// What the ledger's answers of `hakobu probe` mean to the choice of a publish method.
#pragma once

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/publish_method.h"
#include "ledger/probe_book.h"

namespace hakobu {

absl::StatusOr<ServiceAnswers> AnswersOf(ProbeBook& book, const DestinationConfig& destination);

}  // namespace hakobu
