// BurstBalance of an RDS instance, from CloudWatch's GetMetricData.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/token_source.h"

namespace hakobu {

struct CloudWatchOptions {
  std::string instance;  // DBInstanceIdentifier
  std::string region;    // empty: AWS_REGION, else EC2's own
  std::string endpoint;  // empty: the region's
};

struct MetricSample {
  absl::Time at;     // the end of its minute
  double value = 0;  // percent
};

// Not thread-safe. Keys are found as AWS's own tools find them, and asked for anew when they are refused.
class CloudWatch {
 public:
  CloudWatch(CloudWatchOptions options, TokenSeam seam)
      : options_(std::move(options)), seam_(std::move(seam)) {}

  // The minutes from `since` on that CloudWatch knows of, oldest first; it is minutes late, and may never
  // know some. Each is the lowest of its minute.
  absl::StatusOr<std::vector<MetricSample>> BurstBalance(absl::Time since);

 private:
  CloudWatchOptions options_;
  TokenSeam seam_;
};

// The seam of this process: its environment, real time and network.
TokenSeam ProcessTokenSeam(Clock* clock, const Cancellation* cancel);

}  // namespace hakobu
