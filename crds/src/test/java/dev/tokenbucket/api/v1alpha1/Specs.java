// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

/** Specs as users write them, in YAML. */
final class Specs {
  private Specs() {}

  static NodePolicy resolve(String yaml) {
    try {
      return PolicyResolver.resolve(
          "p", "uid", 1, new YAMLMapper().readValue(yaml, TokenBucketPolicySpec.class));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }
}
