// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.explain.Explanation;
import dev.tokenbucket.agent.explain.Explanation.BucketState;
import dev.tokenbucket.agent.explain.Explanation.HoldingTerm;
import dev.tokenbucket.agent.explain.Explanation.Packet;
import dev.tokenbucket.agent.explain.Explanation.Step;
import dev.tokenbucket.agent.simulate.Addresses;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.io.PrintWriter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An explanation for people. */
final class ExplanationText {
  private static final int DECIMALS = 2;

  private final PrintWriter out;

  ExplanationText(PrintWriter out) {
    this.out = out;
  }

  void print(Explanation explanation) {
    out.println("packet: " + packet(explanation.packet()));
    out.println(
        explanation.interfaceName() == null
            ? "hook: none, policies from --policy, %s".formatted(explanation.direction())
            : "hook: %s %s, program %d"
                .formatted(
                    explanation.interfaceName(), explanation.direction(), explanation.programId()));
    if (explanation.failsafe() != null) {
      out.println("failsafe: exempt as " + explanation.failsafe());
    }
    int number = 1;
    for (Step step : explanation.policies()) {
      print(number++, step);
    }
    out.println("verdict: " + explanation.verdict().name().toLowerCase(Locale.ROOT));
  }

  private static String packet(Packet packet) {
    if (packet.source() == null) {
      return "no readable IP packet, a frame of %,d bytes".formatted(packet.bytes());
    }
    return "%s %s > %s, %,d bytes"
        .formatted(
            packet.protocol(),
            Addresses.end(String.valueOf(packet.source()), packet.sourcePort()),
            Addresses.end(String.valueOf(packet.destination()), packet.destinationPort()),
            packet.bytes());
  }

  private void print(int number, Step step) {
    out.printf(
        "%d. %s: %s, burst %s, per %s%s%n",
        number,
        step.name(),
        TokenRate.of(step.unit(), step.rate(), step.ratePeriod()).text(),
        step.unit().burstText(step.burst()),
        step.per(),
        step.mode() == Mode.Audit ? ", Audit" : "");
    String behind = "   ";
    if (step.result() == Explanation.Result.NotIp) {
      out.println(behind + "not judged: policies judge only IP packets");
      return;
    }
    out.println(behind + matched(step));
    HoldingTerm exempt = step.exemptBy();
    if (exempt != null) {
      out.println(behind + "exempt by " + term("exempt", exempt));
    }
    BucketState bucket = step.bucket();
    if (bucket != null) {
      out.println(behind + bucket(step, bucket));
    }
    BucketState parent = step.parent();
    if (parent != null) {
      out.println(
          behind
              + "parent bucket: holds %s"
                  .formatted(step.unit().tokensText(parent.tokens(), DECIMALS)));
    }
    out.println(behind + result(step, bucket));
  }

  private static String matched(Step step) {
    HoldingTerm matched = step.matchedBy();
    if (matched != null) {
      return "matched by " + term("match", matched);
    }
    return step.result() == Explanation.Result.NotMatched
        ? "no term of match fits"
        : "matches all IP traffic, because match is absent";
  }

  private static String term(String list, HoldingTerm holding) {
    return "%s[%d]: %s".formatted(list, holding.index(), TermText.of(holding.term()));
  }

  private static String bucket(Step step, BucketState bucket) {
    String whose =
        bucket.overflow()
            ? "the table is full, so the shared bucket judges " + bucket.key()
            : "bucket %s%s".formatted(bucket.key(), bucket.isNew() ? ", a new one" : "");
    return "%s: holds %s of %s"
        .formatted(
            whose,
            step.unit().tokensText(bucket.tokens(), DECIMALS),
            step.unit().burstText(step.burst()));
  }

  private static String result(Step step, @Nullable BucketState bucket) {
    String left = bucket == null ? "" : step.unit().tokensText(bucket.left(), DECIMALS);
    return switch (step.result()) {
      case Conform -> "conforms: takes %s, leaves %s".formatted(cost(step, bucket), left);
      case Exceed ->
          "exceeds%s: needs %s, leaves %s; %s"
              .formatted(
                  Boolean.TRUE.equals(step.refusedByParent()) ? " the parent" : "",
                  cost(step, bucket),
                  left,
                  deed(step));
      case NotIp, NotMatched -> "not judged";
      case Exempt -> "passes uncounted";
      case Failsafe -> "passes as failsafe traffic";
      case NotReached -> "not reached: an earlier policy drops the packet";
    };
  }

  private static String cost(Step step, @Nullable BucketState bucket) {
    return bucket == null ? "" : step.unit().tokensText(bucket.cost(), DECIMALS);
  }

  private static String deed(Step step) {
    if (step.mode() == Mode.Audit) {
      return "passes, because the policy only audits";
    }
    return Boolean.TRUE.equals(step.marked()) ? "passes, and is marked" : "dropped";
  }
}
