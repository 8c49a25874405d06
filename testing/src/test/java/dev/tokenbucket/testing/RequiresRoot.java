// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips tests where we are not root, since BPF and network namespaces need it; fails in CI. */
public final class RequiresRoot implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if ("root".equals(System.getProperty("user.name"))) {
      return ConditionEvaluationResult.enabled("root");
    }
    if (System.getenv("CI") != null) {
      throw new IllegalStateException("CI must run as root: BPF and network namespaces need it");
    }
    return ConditionEvaluationResult.disabled("needs root: BPF and network namespaces");
  }
}
