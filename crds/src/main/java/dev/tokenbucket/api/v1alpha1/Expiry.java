// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import dev.tokenbucket.api.v1alpha1.PolicyResolver.InvalidPolicyException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** When a policy expires. */
public final class Expiry {
  static final String MESSAGE = "must be an RFC 3339 time such as 2026-12-01T18:00:00Z";

  static final String RULE =
      "self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])"
          + "(:[0-5][0-9]){2}([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-8]):[0-5][0-9])$')";

  private Expiry() {}

  /**
   * Parses a time that the CRD's rule has accepted.
   *
   * @throws InvalidPolicyException for a day that its month does not have
   */
  public static Optional<Instant> of(@Nullable TokenBucketPolicySpec spec) {
    String text = spec == null ? null : spec.expiresAt();
    try {
      return Optional.ofNullable(text).map(time -> OffsetDateTime.parse(time).toInstant());
    } catch (DateTimeParseException e) {
      throw new InvalidPolicyException(
          "spec.expiresAt: Invalid value: \"" + text + "\": " + MESSAGE);
    }
  }
}
