// Command control-plane is etcd, the Kubernetes API server, controller manager, scheduler, kubectl and kwok in one
// executable, for demos and tests. The first argument names the part, the rest are that part's own arguments.
//
// Every part that serves ends when its standard input ends: the launcher holds the other end of that pipe, so nothing
// outlives it, not even when it is killed. CONTROL_PLANE_DATA, when set, names a directory to remove at that moment.
package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwoksignals "sigs.k8s.io/kwok/pkg/utils/signals"
)

var parts = map[string]func() int{
	"etcd": func() int {
		etcdmain.Main(os.Args)
		return 0
	},
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubectl":                 func() int { return runKubectl(kubectl.NewDefaultKubectlCommand()) },
	"kwok":                    runKwok,
	"kwok-stages":             printKwokStages,
}

func main() {
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		names := make([]string, 0, len(parts))
		for name := range parts {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: %s <%s> [arguments]\n", os.Args[0], strings.Join(names, "|"))
		os.Exit(2)
	}
	part := os.Args[1]
	// Each part reads os.Args itself; it must see its own name first, as if it were its own executable.
	os.Args = append([]string{part}, os.Args[2:]...)
	if part != "kubectl" && part != "kwok-stages" { // commands that end by themselves; kubectl reads manifests
		go endWithStandardInput()
	}
	os.Exit(parts[part]())
}

// endWithStandardInput exits at once, without a graceful shutdown: the data is temporary and the launcher is gone.
func endWithStandardInput() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	if directory := os.Getenv("CONTROL_PLANE_DATA"); directory != "" {
		_ = os.RemoveAll(directory)
	}
	os.Exit(0)
}

func runKubectl(command *cobra.Command) int {
	if err := cli.RunNoErrOutput(command); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

func runKwok() int {
	// The Kubernetes parts registered a --version there that kwok's command line cannot live with.
	pflag.CommandLine = pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx := kwoksignals.SetupSignalContext()
	ctx, logger := kwoklog.InitFlags(ctx, flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		logger.Error("reading the kwok configuration", "err", err)
		return 1
	}
	command := kwok.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	if err := command.ExecuteContext(ctx); err != nil {
		logger.Error("running kwok", "err", err)
		return 1
	}
	return 0
}

// printKwokStages writes the life of simulated nodes and pods, which kwok wants as its --config. They are in the
// executable so that neither Go nor its module cache is needed once it is built.
func printKwokStages() int {
	stages := []string{
		nodefast.DefaultNodeInit,
		nodeheartbeat.DefaultNodeHeartbeat,
		podfast.DefaultPodReady,
		podfast.DefaultPodComplete,
		podfast.DefaultPodDelete,
	}
	fmt.Print(strings.Join(stages, "\n---\n"))
	return 0
}
