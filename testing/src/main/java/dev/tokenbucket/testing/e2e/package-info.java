// SPDX-License-Identifier: Apache-2.0
/** A real cluster on this machine: nodes with kubelet and containerd in namespaces of their own. */
@NullMarked
package dev.tokenbucket.testing.e2e;

import org.jspecify.annotations.NullMarked;
