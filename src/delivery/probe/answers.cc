#include "delivery/probe/answers.h"

#include "base/status.h"

namespace hakobu {

absl::StatusOr<ServiceAnswers> AnswersOf(ProbeBook& book, const DestinationConfig& destination) {
  using Answer = PublishTarget::Answer;
  const auto kept = [&](const char* question) -> absl::StatusOr<Answer> {
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<ProbeRecord> found,
                            book.Find(destination.project, destination.location, question));
    if (!found.has_value()) return Answer::kUnknown;
    return found->answer == "kept" ? Answer::kYes : Answer::kNo;
  };
  ServiceAnswers answers;
  HAKOBU_ASSIGN_OR_RETURN(answers.load_keeps_policies, kept("policies_by_load"));
  HAKOBU_ASSIGN_OR_RETURN(answers.query_keeps_policies, kept("policies_by_query"));
  return answers;
}

}  // namespace hakobu
