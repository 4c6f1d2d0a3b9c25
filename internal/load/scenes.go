package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// scene is one thing that is measured. It has a file of its own.
type scene struct {
	name string
	// measure returns figures in Markdown, and the targets that were met or missed.
	measure func(ctx context.Context, c config, dir string) (figures string, targets []target, err error)
	// servers are opened by name in processes of their own; see config.serve.
	servers map[string]opener
}

// opener opens what a server serves, and returns what closes it.
type opener func(config) (http.Handler, func() error, error)

var scenes = []scene{
	{name: "notify", measure: measureNotify, servers: map[string]opener{
		ofKit: config.notify, ofNaive: config.notify, ofOne: config.notify, ofLeast: config.notify, withNone: config.notify,
	}},
	{name: "attack", measure: measureAttack, servers: map[string]opener{underAttack: config.openAttacked}},
	{name: "growth", measure: measureGrowth, servers: map[string]opener{ofGrowth: config.openRunning}},
	{name: "handover", measure: measureHandover, servers: map[string]opener{ofRun: config.openRunning}},
	{name: "prepay", measure: measurePrepay, servers: map[string]opener{
		ofWeChat: config.openWeChat, ofRSA: config.openRSA, ofRelay: config.openRelay, shopOnMemory: config.openKit, shopOnSQLite: config.openKit,
	}},
	{name: "polling", measure: measurePolling, servers: map[string]opener{countedOnMemory: config.openKit, countedOnSQLite: config.openKit, fixedAnswer: config.openFixed}},
}

// chosen are the scenes of a list of names.
func chosen(list string) (found []scene, err error) {
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(scenes, func(s scene) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scene %q, only %s", name, names())
		}
		found = append(found, scenes[i])
	}
	return found, nil
}

// names are those of all scenes.
func names() string {
	var all []string
	for _, s := range scenes {
		all = append(all, s.name)
	}
	return strings.Join(all, ",")
}

// openerOf finds a server by its name.
func openerOf(name string) (opener, error) {
	for _, s := range scenes {
		if open := s.servers[name]; open != nil {
			return open, nil
		}
	}
	return nil, fmt.Errorf("there is no server %q", name)
}
