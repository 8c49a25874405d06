// SPDX-License-Identifier: Apache-2.0
/** The Helm chart and the plain manifests made from it. */
@NullMarked
package dev.tokenbucket.testing.chart;

import org.jspecify.annotations.NullMarked;
