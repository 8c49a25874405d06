// SPDX-License-Identifier: Apache-2.0
/** Access of operator and agent to the API server: from within a pod, or with a kubeconfig. */
@NullMarked
package dev.tokenbucket.api.client;

import org.jspecify.annotations.NullMarked;
