// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The status that this agent last wrote, beside what the API server stores of it. An older CRD has
 * no room for some fields. What they held is known here alone, and their absence is no change.
 */
final class LastReport {
  private @Nullable Written last;

  private record Written(TokenBucketNodeStateStatus status, JsonNode stored) {}

  /**
   * Keeps a status.
   *
   * @param stored the status in the API server's answer
   */
  void wrote(TokenBucketNodeStateStatus status, JsonNode stored) {
    last = new Written(status, stored);
  }

  /** The status as written, if this is what the API server stores of it. */
  Optional<TokenBucketNodeStateStatus> behind(JsonNode stored) {
    return Optional.ofNullable(last)
        .filter(written -> written.stored().equals(stored))
        .map(Written::status);
  }
}
