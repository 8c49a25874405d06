// SPDX-License-Identifier: Apache-2.0
/**
 * The API {@code tokenbucket.dev/v1alpha1}. The CRD YAML beside this module's POM is generated from
 * these types; a test fails when it is stale.
 */
@NullMarked
package dev.tokenbucket.api.v1alpha1;

import org.jspecify.annotations.NullMarked;
