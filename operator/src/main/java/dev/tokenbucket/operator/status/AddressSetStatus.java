// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSetStatus;
import dev.tokenbucket.operator.fleet.AddressSetReport;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Derives an address set's status. Pure: equal input gives an equal status. */
public final class AddressSetStatus {
  private static final int MAX_POLICIES = 10;

  private AddressSetStatus() {}

  /**
   * Creates the status.
   *
   * @param before the existing status; the transition time stays if nothing changed
   */
  public static TokenBucketAddressSetStatus of(
      AddressSetReport report, @Nullable TokenBucketAddressSetStatus before, Instant now) {
    List<Condition> there =
        before == null || before.conditions() == null ? List.of() : before.conditions();
    Conditions conditions = new Conditions(null, there, report.generation(), now);
    boolean valid = report.problem().isEmpty();
    return new TokenBucketAddressSetStatus(
        report.generation(),
        valid ? report.cidrs() : null,
        report.policies().size(),
        List.of(
            valid
                ? conditions.is(Reasons.READY, true, Reasons.VALID, message(report))
                : conditions.is(Reasons.READY, false, Reasons.INVALID, report.problem())));
  }

  private static String message(AddressSetReport report) {
    String networks =
        report.cidrs() == 0
            ? "the set is empty and contains no address"
            : Texts.count(report.cidrs(), "network");
    return networks
        + (report.policies().isEmpty()
            ? "; no policy names the set"
            : "; named by " + Texts.first(MAX_POLICIES, report.policies()));
  }
}
