// Jobs: what runs, what ran, and what it answered. A job that wrote rows is stored in their transaction, so
// that after a crash its id is known exactly when its rows are there.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "localbq/catalog/names.h"
#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/rest/job_timer.h"

namespace hakobu::localbq {
class Faults;
struct Table;
}  // namespace hakobu::localbq

namespace hakobu::localbq::rest {

// A query's rows, kept until newer results need the room.
struct QueryRows {
  Schema schema;
  std::vector<Chunk> chunks;
  std::vector<uint64_t> first_row;  // of each chunk
  uint64_t rows = 0;
  uint64_t bytes = 0;  // about
};

// One job. The fields above the lock are set before it is submitted and do not change.
class Job {
 public:
  std::string project, id, location = "US", user;
  std::string identity;    // whose permissions it has; empty: nobody is asked
  bool may_change = true;  // false: its token is for reading
  std::string type;        // LOAD, QUERY, COPY
  nlohmann::json configuration;
  int64_t created_ms = 0;

  bool done() const;
  bool Wait(absl::Duration timeout) const;  // true when done
  absl::Status error() const;
  nlohmann::json Resource(std::string_view url) const;  // REST's Job
  std::shared_ptr<const QueryRows> rows() const;

  // For the job's own thread. The statistics under the type's key ("load", "query", "copy").
  void SetStatistics(nlohmann::json statistics);
  nlohmann::json statistics() const;
  void SetRows(std::shared_ptr<const QueryRows> rows);
  // Entries of status.errors beside the one that ends the job.
  void AddError(nlohmann::json error);
  // Stores the job as done in the transaction of what it wrote. Last, before the commit.
  absl::Status RecordDone(Connection& connection);
  // Whether RecordDone was called, in a transaction that may still have failed.
  bool is_recorded() const { return is_recorded_; }

  void Cancel();
  // The same, because it took longer than it may.
  void TimeOut();
  bool cancelled() const { return cancelled_; }
  // While it lives, Cancel interrupts the connection's statement. One at a time. A statement that has not
  // begun yet is not interrupted: look at cancelled() first, and who cancels calls again until the job is
  // done.
  class Interruptible {
   public:
    Interruptible(Job* job, Connection* connection);
    ~Interruptible();

   private:
    Job* job_;
  };

 private:
  friend class JobStore;
  void Start();
  void Finish(absl::Status error);
  nlohmann::json ResourceLocked(std::string_view url) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  nlohmann::json errors_ ABSL_GUARDED_BY(mutex_) = nlohmann::json::array();
  nlohmann::json statistics_ ABSL_GUARDED_BY(mutex_) = nlohmann::json::object();
  nlohmann::json stored_ ABSL_GUARDED_BY(mutex_);  // of a job read back after a restart: its resource
  int64_t started_ms_ ABSL_GUARDED_BY(mutex_) = 0, ended_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const QueryRows> rows_ ABSL_GUARDED_BY(mutex_);
  Connection* connection_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> timed_out_{false};
  std::atomic<bool> is_recorded_{false};
};

using JobPtr = std::shared_ptr<Job>;

// Thread-safe.
class JobStore {
 public:
  JobStore(Warehouse* warehouse, Faults* faults);
  ~JobStore();
  // Cancels what runs and waits, and takes nothing more. What it ends is not stored: after a restart the id
  // is free, as after a crash.
  void Stop();
  absl::Status Load();  // what ran before the restart

  using Work = std::function<absl::Status(Job&)>;
  // Runs it on a thread of the store. AlreadyExists "Already Exists: Job p:US.id" for an id that was used;
  // ResourceExhausted when quotas hold and too many queries of the project wait.
  absl::StatusOr<JobPtr> Submit(JobPtr job, Work work);
  // AlreadyExists as Submit would answer.
  absl::Status CheckUnused(std::string_view project, std::string_view id);
  absl::StatusOr<JobPtr> Find(std::string_view project, std::string_view id) const;
  // The same by the location that a request names; without one, the US multi-region's jobs alone are found.
  absl::StatusOr<JobPtr> FindIn(std::string_view project, std::string_view id,
                                std::string_view location) const;
  // The job whose rows an anonymous table (anonymous.h) would hold; null: none that is known.
  JobPtr FindByResult(const TableId& table) const;
  absl::Status Remove(std::string_view project, std::string_view id);
  std::vector<JobPtr> List(std::string_view project) const;  // newest first, those of this process
  static std::string NewId();
  // Whether the job, whose id was just answered 409, is not to be found yet.
  bool IsHidden(std::string_view project, std::string_view id) const;

 private:
  using Key = std::pair<std::string, std::string>;
  struct Queued {
    JobPtr job;
    Work work;
    bool has_place = false;  // in the quota of its project's queue
  };
  void RunWorker();
  bool IsStopping() const;
  void KeepRows(const JobPtr& job);
  // What ended long ago goes: a job that the warehouse holds is read from there, another is forgotten.
  void KeepEnded(const JobPtr& job, bool stored) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status Refuse(const Key& key, std::string_view location) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What quotas and faults let happen, then the work.
  absl::Status RunJob(Job& job, const Work& work);
  // What a library throws at it is the job's failure and nobody else's.
  absl::Status RunCaught(Job& job, const Work& work);

  Warehouse* const warehouse_;
  Faults* const faults_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Key, JobPtr> jobs_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Key> stored_ ABSL_GUARDED_BY(mutex_);  // of earlier processes
  std::deque<Queued> queue_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::weak_ptr<Job>> with_rows_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<TableId, std::weak_ptr<Job>> by_result_ ABSL_GUARDED_BY(mutex_);
  uint64_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  struct Ended {
    Key key;
    bool stored = false;
  };
  std::deque<Ended> ended_ ABSL_GUARDED_BY(mutex_);                       // oldest first
  absl::flat_hash_map<Key, absl::Time> refused_ ABSL_GUARDED_BY(mutex_);  // when ids were last answered 409
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  JobTimer timer_;
  std::vector<std::thread> workers_;
};

struct Service;
// What the three kinds of job do. load.cc, copy.cc, query_job.cc
absl::Status RunLoad(const Service& service, Job& job, const std::string& path);
absl::Status RunCopy(const Service& service, Job& job);
absl::Status RunQuery(const Service& service, Job& job);

// The DuckDB relation of the rows of a table that a copy or clone of it has.
absl::StatusOr<std::string> RowsToCopy(const Service& service, const Table& source);

// A job from a client's resource: InvalidArgument for what no job can be made of, Unimplemented for extract.
absl::StatusOr<JobPtr> MakeJob(const Service& service, const nlohmann::json& resource,
                               std::string_view project, std::string_view identity);

// job_locations.cc: "us" is "US".
bool IsSameLocation(std::string_view a, std::string_view b);
// NotFound in Google's words when the dataset is not where the job runs.
absl::Status CheckLocation(const Service& service, const Job& job, const DatasetId& dataset);
// Where a job without a location of its own runs: where its datasets are.
std::string LocationFor(const Service& service, const Job& job);

}  // namespace hakobu::localbq::rest
