#include "delivery/contract/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/contract/compare_fixture.h"

namespace hakobu::contract_test {
namespace {

using ::testing::HasSubstr;

TEST(Compare, WhatHasNotChangedIsFollowedWithoutAWord) {
  for (const ContractMode mode : kModes) {
    for (const auto occasion :
         {ContractOccasion::kStart, ContractOccasion::kAltered, ContractOccasion::kAnswered}) {
      ContractQuestion question = Same(mode);
      question.occasion = occasion;
      const ContractAnswer answer = CompareContracts(question);
      EXPECT_EQ(answer.action, kFollow) << ContractModeName(mode);
      EXPECT_TRUE(answer.findings.empty()) << ContractModeName(mode) << Texts(answer);
      EXPECT_TRUE(AnswerStatus("t", answer).ok());
    }
  }
}

// From (row) to (column), in kModes' order.
TEST(Compare, NoModeTakesAwayWhatAnotherKept) {
  const ContractAction answers[6][6] = {
      /* replace     */ {kFollow, kFollow, kAnew, kAnew, kAnew, kRefuse},
      /* append      */ {kRefuse, kFollow, kRefuse, kRefuse, kRefuse, kRefuse},
      /* incremental */ {kFollow, kFollow, kFollow, kAnew, kAnew, kRefuse},
      /* upsert      */ {kAnew, kFollow, kAnew, kFollow, kAnew, kRefuse},
      /* soft        */ {kRefuse, kRefuse, kRefuse, kRefuse, kFollow, kRefuse},
      /* history     */ {kRefuse, kRefuse, kRefuse, kRefuse, kRefuse, kFollow},
  };
  for (size_t from = 0; from < 6; ++from) {
    for (size_t to = 0; to < 6; ++to) {
      SCOPED_TRACE(std::string(ContractModeName(kModes[from])) + " to " +
                   std::string(ContractModeName(kModes[to])));
      ContractQuestion question = Same(kModes[from]);
      question.wanted = Members(kModes[to]);
      const ContractAnswer answer = CompareContracts(question);
      EXPECT_EQ(ContractActionName(answer.action), ContractActionName(answers[from][to])) << Texts(answer);
      EXPECT_FALSE(answer.make_again);
    }
  }
}

ContractQuestion WithKey(ContractMode mode, const std::vector<std::string>& wanted) {
  ContractQuestion question = Same(mode);
  question.occasion = ContractOccasion::kAltered;
  question.wanted.key = wanted;
  return question;
}

TEST(Compare, AKeyChangesOnlyWhereNothingIsLost) {
  ContractAnswer answer = CompareContracts(WithKey(kUpsert, {"id", "name"}));
  EXPECT_EQ(answer.action, kAnew);
  EXPECT_TRUE(answer.make_again);

  ContractQuestion hung = WithKey(kUpsert, {"name"});
  hung.hangs = {"row policies vip", "labels team"};
  answer = CompareContracts(hung);
  EXPECT_EQ(answer.action, kStop);
  EXPECT_FALSE(answer.make_again);
  EXPECT_THAT(Texts(answer), HasSubstr("row policies vip; labels team"));
  hung.occasion = ContractOccasion::kAsked;
  EXPECT_EQ(CompareContracts(hung).action, kStop)
      << "that somebody asks for the rows does not take the policies off";

  answer = CompareContracts(WithKey(kSoft, {"name"}));
  EXPECT_EQ(answer.action, kRefuse);
  EXPECT_THAT(Texts(answer), HasSubstr("deleted rows"));

  // The order of a key's columns is not the table's.
  ContractQuestion turned = WithKey(kUpsert, {"NAME", "id"});
  turned.found->key = turned.recorded->key = {"id", "name"};
  EXPECT_EQ(CompareContracts(turned).action, kFollow);
  // A history has no key in BigQuery.
  EXPECT_EQ(CompareContracts(Same(kHistory)).action, kFollow);
}

TEST(Compare, AKeyThatSomebodyChangedInBigQueryStopsTheTable) {
  ContractQuestion question = Same(kUpsert);
  question.found->key = {};
  const ContractAnswer answer = CompareContracts(question);
  EXPECT_EQ(answer.action, kStop);
  EXPECT_THAT(Texts(answer), HasSubstr("expected (id), found none"));
  question.occasion = ContractOccasion::kAsked;
  EXPECT_EQ(CompareContracts(question).action, kAnew);
  EXPECT_FALSE(CompareContracts(question).make_again);
}

TEST(Compare, SomebodysTableIsNeverMadeAgain) {
  for (const bool recorded : {false, true}) {
    ContractQuestion question = Same(kUpsert);
    question.target_is_empty = true;
    question.found->key = {"name"};
    if (recorded) {
      question.found->created_ms += 5;
      question.recorded->key = {"name"};
    } else {
      question.recorded.reset();
    }
    const ContractAnswer answer = CompareContracts(question);
    EXPECT_EQ(answer.action, kRefuse) << Texts(answer);
    EXPECT_FALSE(answer.make_again);
  }
}

TEST(Compare, ATableOfARunGetsItsKeyWhenItIsStreamed) {
  ContractQuestion question = Same(kReplace);
  question.wanted = Members(kUpsert);
  const ContractAnswer answer = CompareContracts(question);
  EXPECT_EQ(answer.action, kAnew);
  EXPECT_FALSE(answer.make_again);
  EXPECT_THAT(Texts(answer), HasSubstr("the target has no key yet"));
}

TEST(Compare, ATableOfARunOlderThanTheRecordsGetsItsKeyToo) {
  ContractQuestion question = Same(kReplace);
  question.recorded.reset();
  question.delivered_before = true;
  question.wanted = Members(kUpsert);
  EXPECT_EQ(CompareContracts(question).action, kAnew);
  EXPECT_FALSE(CompareContracts(question).make_again);
  question.wanted = Members(kSoft);
  EXPECT_EQ(CompareContracts(question).action, kAnew);
  question.wanted = Members(kHistory);
  EXPECT_EQ(CompareContracts(question).action, kRefuse) << "its rows are no history";
}

TEST(Compare, AnInstallationWithoutRecordsSaysWhatItCannotTell) {
  for (const ContractMode mode : kModes) {
    ContractQuestion question = Same(mode);
    question.recorded.reset();
    question.delivered_before = true;
    ContractAnswer answer = CompareContracts(question);
    EXPECT_EQ(answer.action, kFollow) << Texts(answer);
    EXPECT_TRUE(answer.records_what_is_found);
    EXPECT_THAT(Texts(answer), HasSubstr("zones, masks and salts"));
    if (mode < kUpsert) continue;  // schema_changes: says what a run does
    Retype(&*question.found, "at", "TIMESTAMP");
    answer = CompareContracts(question);
    EXPECT_EQ(answer.action, kStop) << Texts(answer);
    EXPECT_FALSE(answer.records_what_is_found);
  }
}

TEST(Compare, WhatSomebodyAsksForComesAnew) {
  for (const ContractMode mode : {kUpsert, kSoft, kHistory}) {
    ContractQuestion question = Same(mode);
    question.occasion = ContractOccasion::kAsked;
    EXPECT_EQ(CompareContracts(question).action, kAnew);
    question.found->created_ms += 5;  // made again by somebody, with rows
    EXPECT_EQ(CompareContracts(question).action, kAnew);
    question.found.reset();
    EXPECT_EQ(CompareContracts(question).action, kAnew);
    question.found = Target(mode);
    question.found->kind = "VIEW";
    EXPECT_EQ(CompareContracts(question).action, kStop) << "but never over a view";
  }
}

TEST(Compare, OtherRowsAtTheSourceComeAnewAndNeverByLosingAHistory) {
  for (const ContractMode mode : {kUpsert, kSoft, kHistory}) {
    ContractQuestion question = Same(mode);
    question.occasion = ContractOccasion::kReplaced;
    const ContractAnswer answer = CompareContracts(question);
    EXPECT_EQ(answer.action, kAnew);
    EXPECT_FALSE(answer.make_again);
  }
  // The table that took the name has the column that was left out under another name.
  ContractQuestion question = Same(kUpsert);
  question.occasion = ContractOccasion::kReplaced;
  RenameAtSource(&question, "email", "mail");
  question.wanted.columns.push_back(Form("mail"));
  EXPECT_EQ(CompareContracts(question).action, kStop);
}

TEST(Compare, AStatementSaysItselfWhatItRenamed) {
  ContractQuestion question = Same(kUpsert);
  question.occasion = ContractOccasion::kAltered;
  question.wanted.source_columns = {
      {"id", "int"}, {"name", "varchar(20)"}, {"at", "timestamp"}, {"mail", "varchar(200)"}};
  question.wanted.columns.push_back(Form("mail"));
  EXPECT_EQ(CompareContracts(question).action, kFollow) << "dropped, and another one added";
  question.renamed = {{"mail", "email"}};  // CHANGE COLUMN email mail VARCHAR(200) LAST
  EXPECT_EQ(CompareContracts(question).action, kStop);
  // Two columns that change names: what was in clear is now what was left out.
  ContractQuestion swapped = Same(kUpsert);
  swapped.occasion = ContractOccasion::kAltered;
  swapped.renamed = {{"name", "email"}, {"email", "name"}};
  const ContractAnswer answer = CompareContracts(swapped);
  EXPECT_EQ(answer.action, kStop);
  EXPECT_THAT(Texts(answer), HasSubstr("`email` of the source is `name` now"));
}

TEST(Compare, WhileRowsAreWrittenNothingIsGuessed) {
  ContractQuestion lost = Same(kUpsert);
  lost.occasion = ContractOccasion::kAnswered;
  Lose(&*lost.found, "name");
  EXPECT_EQ(CompareContracts(lost).action, kStop);
  ContractQuestion again = Same(kUpsert);
  again.occasion = ContractOccasion::kAnswered;
  again.found->created_ms += 1;
  again.target_is_empty = true;
  EXPECT_EQ(CompareContracts(again).action, kStop);
  ContractQuestion more = Same(kUpsert);
  more.occasion = ContractOccasion::kAnswered;
  more.found->columns.push_back({"note", "STRING"});
  EXPECT_EQ(CompareContracts(more).action, kFollow) << "a column of somebody's own";
}

TEST(Compare, WhatIsSentIsWhatTheTableIs) {
  for (const ContractMode mode : {kAppend, kIncremental, kUpsert, kSoft, kHistory}) {
    for (const char* recorded :
         {"NUMERIC", "BIGNUMERIC"}) {  // somebody widened it; a statement did that was followed
      ContractQuestion question = Same(mode);
      WithBalance(&question, "NUMERIC", "BIGNUMERIC", recorded);
      const ContractAnswer answer = CompareContracts(question);
      EXPECT_EQ(answer.action, kFollow);
      EXPECT_THAT(answer.deliver_as, testing::ElementsAre(testing::Pair("balance", "BIGNUMERIC")));
    }
    // While rows are written those on their way may have the old type.
    ContractQuestion question = Same(mode);
    WithBalance(&question, "NUMERIC", "BIGNUMERIC", "NUMERIC");
    question.occasion = ContractOccasion::kAnswered;
    EXPECT_EQ(CompareContracts(question).action, mode < kUpsert ? kRefuse : kStop);
    // Another form in the wider type.
    ContractQuestion masked = Same(mode);
    WithBalance(&masked, "NUMERIC", "BIGNUMERIC", "NUMERIC");
    Wanted(&masked, "balance").mask = "null";
    EXPECT_EQ(CompareContracts(masked).action, mode == kUpsert || mode == kIncremental ? kAnew : kRefuse);
  }
}

TEST(Compare, TheStreamsOwnColumnsAreHeldToo) {
  ContractQuestion soft = Same(kSoft);
  Lose(&*soft.found, "_hakobu_deleted");
  EXPECT_EQ(CompareContracts(soft).action, kAnew) << "what is not in the source is marked again";
  ContractQuestion history = Same(kHistory);
  Lose(&*history.found, "_hakobu_place");
  EXPECT_EQ(CompareContracts(history).action, kStop);
  ContractQuestion retyped = Same(kHistory);
  Retype(&*retyped.found, "_hakobu_time", "STRING");
  EXPECT_EQ(CompareContracts(retyped).action, kStop);
}

TEST(Compare, WhatSomebodyHasDecidedOfARunIsDone) {
  ContractQuestion append = Same(kAppend);
  append.found->created_ms += 1;
  Wanted(&append, "name").mask = "null";
  EXPECT_EQ(CompareContracts(append).action, kRefuse);
  append.occasion = ContractOccasion::kAsked;
  ContractAnswer answer = CompareContracts(append);
  EXPECT_EQ(answer.action, kFollow) << Texts(answer);
  EXPECT_THAT(Texts(answer), HasSubstr("as was asked"));
  append.found.reset();
  EXPECT_EQ(CompareContracts(append).action, kAnew) << "made again";

  ContractQuestion incremental = Same(kIncremental);
  Wanted(&incremental, "name").mask = "null";
  answer = CompareContracts(incremental);
  EXPECT_EQ(answer.action, kAnew) << Texts(answer);
  EXPECT_TRUE(answer.others_must_go) << "rows in clear";
  incremental = Same(kIncremental);
  incremental.target_is_empty = true;
  answer = CompareContracts(incremental);
  EXPECT_EQ(answer.action, kAnew) << Texts(answer);
  EXPECT_FALSE(answer.others_must_go);
  incremental.found->created_ms += 1;
  incremental.target_is_empty = false;
  EXPECT_EQ(CompareContracts(incremental).action, kRefuse) << "somebody's rows";
  incremental.occasion = ContractOccasion::kAsked;
  EXPECT_EQ(CompareContracts(incremental).action, kAnew);
}

TEST(Compare, WhatANextVersionShowsIsSaid) {
  ContractQuestion question = Same(kReplace);
  question.recorded->columns[1].mask = "sha256";
  question.wanted.columns.push_back(Form("email"));
  question.wanted.filter = ContractDigest("id > 5");
  const ContractAnswer answer = CompareContracts(question);
  EXPECT_EQ(answer.action, kFollow);
  EXPECT_THAT(Texts(answer),
              HasSubstr("column `name` is delivered in another form with the next version; expected "
                        "STRING, masked by sha256, found STRING, not masked"));
  EXPECT_THAT(Texts(answer), HasSubstr("column `email` was left out so far"));
  EXPECT_THAT(Texts(answer), HasSubstr("`where` is another"));
}

TEST(Compare, AllThatIsWrongIsSaidAtOnce) {
  ContractQuestion question = Same(kHistory);
  Wanted(&question, "at").zone = "UTC";
  Wanted(&question, "name").mask = "null";
  const ContractAnswer answer = CompareContracts(question);
  const absl::Status status = AnswerStatus("shop.members", answer);
  EXPECT_THAT(std::string(status.message()), HasSubstr("`at`"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("`name`"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("hint: "));
}

}  // namespace
}  // namespace hakobu::contract_test
