"""The fields of Kubernetes' objects that are lists of objects, with the keys of their elements.

Written by layers/auditwire/list_fields.py from version 37.0.2 of the PyPI package kubernetes. Do not edit.
"""

from collections.abc import Mapping
from typing import Final

LIST_FIELDS: Final[Mapping[str, str]] = {
    "acceptedTypes": "group kind version",
    "active": "apiVersion fieldPath kind name namespace resourceVersion uid",
    "additionalPrinterColumns": "description format jsonPath name priority type",
    "addresses": "address hostname ip nodeName targetRef type",
    "allocatedResourcesStatus": "name resources",
    "allowedTopologies": "matchLabelExpressions",
    "auditAnnotations": "key valueExpression",
    "causes": "message reason var_field",
    "claims": "name request",
    "clusterRoleSelectors": "matchExpressions",
    "conditions": (
        "error lastHeartbeatTime lastProbeTime lastTransitionTime lastUpdateTime message observedGeneration reason "
        "status type"
    ),
    "config": "opaque requests source",
    "constraints": "distinctAttribute matchAttribute requests",
    "consumesCounters": "compatibilityGroups counterSet",
    "containerStatuses": (
        "allocatedResourcesStatus containerID image imageID lastState name ready resources restartCount started "
        "state stopSignal user volumeMounts"
    ),
    "containers": (
        "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe "
        "resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce "
        "terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
    ),
    "currentMetrics": "containerResource external object pods resource type",
    "derivedAttributes": "expression name",
    "devices": (
        "allNodes allowMultipleAllocations bindingConditions bindingFailureConditions bindsToNode conditions "
        "consumesCounters device driver name networkData nodeName nodeSelector pool shareID taints"
    ),
    "drivers": "allocatable name nodeID topologyKeys",
    "egress": "ports to",
    "endpoints": "addresses conditions hints hostname nodeName targetRef zone",
    "env": "name value valueFrom",
    "envFrom": "configMapRef prefix secretRef",
    "ephemeralContainerStatuses": (
        "allocatedResourcesStatus containerID image imageID lastState name ready resources restartCount started "
        "state stopSignal user volumeMounts"
    ),
    "ephemeralContainers": (
        "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe "
        "resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce "
        "targetContainerName terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts "
        "workingDir"
    ),
    "evictionResponders": "name priority",
    "excludeResourceRules": "apiGroups apiVersions operations resourceNames resources scope",
    "expressionWarnings": "fieldRef warning",
    "firstAvailable": "allocationMode capacity count derivedAttributes deviceClassName name selectors tolerations",
    "forNodes": "name",
    "forZones": "name",
    "from": "ipBlock namespaceSelector podSelector",
    "healthConditions": "accessMode lastTransitionTime message reason status volumeMode",
    "hostAliases": "hostnames ip",
    "hostIPs": "ip",
    "httpHeaders": "name value",
    "imagePullSecrets": "name",
    "images": "names sizeBytes",
    "ingress": "from hostname ip ipMode ports",
    "initContainerStatuses": (
        "allocatedResourcesStatus containerID image imageID lastState name ready resources restartCount started "
        "state stopSignal user volumeMounts"
    ),
    "initContainers": (
        "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe "
        "resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce "
        "terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
    ),
    "items": (
        "action addressType aggregationRule allowVolumeExpansion allowedTopologies apiVersion "
        "automountServiceAccountToken capacity conditions count deprecatedCount deprecatedFirstTimestamp "
        "deprecatedLastTimestamp deprecatedSource description driverName endpoints eventTime fieldRef "
        "firstTimestamp globalDefault handler imagePullSecrets immutable involvedObject key kind lastTimestamp "
        "maximumVolumeSize message metadata mode mountOptions nodeTopology note overhead path ports "
        "preemptionPolicy provisioner reason reclaimPolicy regarding related reportingComponent reportingController "
        "reportingInstance resourceFieldRef revision roleRef rules scheduling secrets series source spec status "
        "storageClassName subjects subsets template type user value versions volumeBindingMode webhooks"
    ),
    "limits": "type",
    "managedFields": "apiVersion fieldsType manager operation subresource time",
    "mapping": "name quantity",
    "matchConditions": "expression name",
    "matchExpressions": "key operator scopeName values",
    "matchFields": "key operator values",
    "matchLabelExpressions": "key values",
    "metrics": "containerResource external object pods resource type",
    "mutations": "applyConfiguration jsonPatch patchType",
    "nodeAllocatableResourceClaimStatuses": "containers mapping overhead resourceClaimName",
    "nodeSelectorTerms": "matchExpressions matchFields",
    "nonResourceRules": "nonResourceURLs verbs",
    "notReadyAddresses": "hostname ip nodeName targetRef",
    "onPodConditions": "status type",
    "options": "name value",
    "overhead": "name perContainer perPod",
    "ownerReferences": "apiVersion blockOwnerDeletion controller kind name uid",
    "paths": "backend path pathType",
    "podIPs": "ip",
    "policies": "periodSeconds type value",
    "ports": "appProtocol containerPort endPort error hostIP hostPort name nodePort port protocol targetPort",
    "preferredDuringSchedulingIgnoredDuringExecution": "podAffinityTerm preference weight",
    "readinessGates": "conditionType",
    "requestMappings": "containerName requestName resourceName",
    "requests": "exactly firstAvailable name",
    "requiredDuringSchedulingIgnoredDuringExecution": (
        "labelSelector matchLabelKeys mismatchLabelKeys namespaceSelector namespaces topologyKey"
    ),
    "requirements": "key operator values",
    "reservedFor": "apiGroup name resource uid",
    "resizePolicy": "resourceName restartPolicy",
    "resourceClaimStatuses": "name resourceClaimName",
    "resourceClaims": "name resourceClaimName resourceClaimTemplateName",
    "resourceRules": "apiGroups apiVersions clusterScope namespaces operations resourceNames resources scope verbs",
    "resources": (
        "categories health message resource resourceID responseKind scope shortNames singularResource subresources "
        "verbs"
    ),
    "restartPolicyRules": "action exitCodes",
    "results": (
        "adminAccess bindingConditions bindingFailureConditions device driver pool request shareID "
        "skipNodeOperations tolerations"
    ),
    "rules": (
        "action apiGroups apiVersions host http nonResourceRules nonResourceURLs onExitCodes onPodConditions "
        "operations resourceNames resourceRules resources scope subjects succeededCount succeededIndexes verbs"
    ),
    "runtimeHandlers": "features name",
    "schedulingGates": "name",
    "secrets": "apiVersion fieldPath kind name namespace resourceVersion uid",
    "selectableFields": "jsonPath",
    "selectors": "cel",
    "sharedCounters": "name",
    "sources": "clusterTrustBundle configMap downwardAPI podCertificate secret serviceAccountToken",
    "storageHealth": "healthConditions name",
    "subjects": "apiGroup group kind name namespace serviceAccount user",
    "subresources": "acceptedTypes responseKind subresource verbs",
    "subsets": "addresses notReadyAddresses ports",
    "sysctls": "name value",
    "taints": "effect key timeAdded value",
    "tls": "hosts secretName",
    "to": "ipBlock namespaceSelector podSelector",
    "tokenRequests": "audience expirationSeconds",
    "tolerations": "effect key operator tolerationSeconds value",
    "topologySpreadConstraints": (
        "labelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy nodeTaintsPolicy topologyKey "
        "whenUnsatisfiable"
    ),
    "validations": "expression message messageExpression reason",
    "variables": "expression name",
    "versions": (
        "additionalPrinterColumns deprecated deprecationWarning freshness name resources selectableFields served "
        "storage subresources var_schema version"
    ),
    "volumeClaimTemplates": "apiVersion kind metadata spec status",
    "volumeDevices": "devicePath name",
    "volumeHealth": "healthConditions lastTransitionTime name",
    "volumeMounts": (
        "bindMountOptions mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr volumeStatus"
    ),
    "volumes": (
        "awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc "
        "flexVolume flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi name nfs persistentVolumeClaim "
        "photonPersistentDisk portworxVolume projected quobyte rbd scaleIO secret storageos vsphereVolume"
    ),
    "volumesAttached": "devicePath name",
    "webhooks": (
        "admissionReviewVersions clientConfig failurePolicy matchConditions matchPolicy name namespaceSelector "
        "objectSelector reinvocationPolicy rules sideEffects timeoutSeconds"
    ),
}
