// Loads an etcd cluster by etcd's own client, as `harness bench` loads Synod: virtual clients with one operation under way
// each, over shared connections, in a closed or an open loop. `harness bench --peer etcd` builds and runs it; by hand, with
// Debian's golang-go and golang-etcd-server-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o etcd-load etcd-load.go
//	yes | ./etcd-load -endpoint 127.0.0.1:2379 -clients 256 -connections 8 -seconds 5
//
// After the warm-up it prints "warm" and waits for a line, after the load it prints "end" and waits for another one: meanwhile
// whoever runs it may read what the load cost. Then it prints what it measured, as a line of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

// Result is that of one load; latencies are in ms, of operations that succeeded.
type Result struct {
	Operations int            `json:"operations"`
	Rate       float64        `json:"rate"`
	Seconds    float64        `json:"seconds"`
	Mean       float64        `json:"mean"`
	P50        float64        `json:"p50"`
	P90        float64        `json:"p90"`
	P99        float64        `json:"p99"`
	P999       float64        `json:"p999"`
	Max        float64        `json:"max"`
	Failures   map[string]int `json:"failures"`
	Late       int            `json:"late"`
}

type options struct {
	clients, keys, rate int
	read, write, cas    int
	zipf                float64
	value               string
}

// After a failure a client rests for so long.
const rest = 10 * time.Millisecond

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:2379", "host:port of the leader")
	connections := flag.Int("connections", 8, "connections, which the clients share")
	clients := flag.Int("clients", 64, "clients, each with one operation under way")
	seconds := flag.Float64("seconds", 5, "length of the load")
	warm := flag.Float64("warm-up", 1, "seconds of the same load before it")
	valueSize := flag.Int("value-size", 100, "bytes of a value")
	keys := flag.Int("keys", 10000, "different keys")
	mix := flag.String("mix", "0:1:0", "read:write:cas")
	zipf := flag.Float64("zipf", 0, "the exponent of a zipf distribution of keys, above 1; 0: uniform")
	rate := flag.Int("rate", 0, "operations a second that are begun; 0: each that ends begins the next")
	flag.Parse()

	o := options{clients: *clients, keys: *keys, rate: *rate, zipf: *zipf, value: strings.Repeat("x", *valueSize)}
	if _, err := fmt.Sscanf(*mix, "%d:%d:%d", &o.read, &o.write, &o.cas); err != nil {
		panic(err)
	}
	stores := make([]*clientv3.Client, *connections)
	for i := range stores {
		store, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second})
		if err != nil {
			panic(err)
		}
		stores[i] = store
	}
	in := bufio.NewReader(os.Stdin)
	pause := func(word string) {
		fmt.Println(word)
		if _, err := in.ReadString('\n'); err != nil {
			os.Exit(1) // whoever ran it is gone
		}
	}
	load(stores, o, *warm)
	pause("warm")
	workers, late, took := load(stores, o, *seconds)
	pause("end")
	if err := json.NewEncoder(os.Stdout).Encode(resultOf(workers, late, took)); err != nil {
		panic(err)
	}
}

type worker struct {
	latencies []float64
	failures  map[string]int
}

// Runs the load for so many seconds; tells how long those took that were due and not begun, and how long all of it took.
func load(stores []*clientv3.Client, o options, seconds float64) ([]*worker, []float64, float64) {
	stop := make(chan struct{})
	began := time.Now()
	end := began.Add(time.Duration(seconds * float64(time.Second)))
	var due chan time.Time
	if o.rate > 0 {
		due = make(chan time.Time, int(float64(o.rate)*seconds)+o.rate)
		go pace(due, began, end, o.rate)
	}
	var wg sync.WaitGroup
	workers := make([]*worker, o.clients)
	for i := range workers {
		workers[i] = &worker{failures: map[string]int{}}
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			workers[i].work(operations(stores[i%len(stores)], o, int64(i)), due, stop)
		}(i)
	}
	time.Sleep(time.Until(end))
	close(stop)
	var late []float64
	for len(due) > 0 {
		late = append(late, ms(time.Since(<-due)))
	}
	wg.Wait()
	return workers, late, time.Since(began).Seconds()
}

// Tells when operations are due; those of one millisecond together, as in Node, where no timer is finer.
func pace(due chan<- time.Time, began, end time.Time, rate int) {
	for i := 0; ; i++ {
		at := began.Add(time.Duration(i*1000/rate) * time.Millisecond)
		if at.After(end) {
			return
		}
		time.Sleep(time.Until(at))
		due <- at
	}
}

func (w *worker) work(operate func() error, due <-chan time.Time, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		from := time.Now()
		if due != nil {
			select {
			case from = <-due:
			case <-stop:
				return
			}
		}
		if err := operate(); err != nil {
			w.failures[err.Error()]++
			time.Sleep(rest)
		} else {
			w.latencies = append(w.latencies, ms(time.Since(from)))
		}
	}
}

// Does the next operation of the mix.
func operations(store *clientv3.Client, o options, seed int64) func() error {
	random := rand.New(rand.NewSource(seed))
	draw := func() uint64 { return uint64(random.Intn(o.keys)) }
	if o.zipf > 0 {
		draw = rand.NewZipf(random, o.zipf, 1, uint64(o.keys-1)).Uint64
	}
	ctx := context.Background()
	return func() (err error) {
		key := fmt.Sprintf("key-%d", draw())
		kind := random.Intn(o.read + o.write + o.cas)
		switch {
		case kind < o.read:
			_, err = store.Get(ctx, key)
		case kind < o.read+o.write:
			_, err = store.Put(ctx, key, o.value)
		default:
			is := clientv3.Compare(clientv3.Value(key), "=", o.value)
			_, err = store.Txn(ctx).If(is).Then(clientv3.OpPut(key, o.value)).Commit()
		}
		return err
	}
}

func resultOf(workers []*worker, late []float64, seconds float64) Result {
	var all []float64
	result := Result{Seconds: seconds, Failures: map[string]int{}, Late: len(late)}
	for _, w := range workers {
		all = append(all, w.latencies...)
		for message, count := range w.failures {
			result.Failures[message] += count
		}
	}
	result.Operations = len(all)
	result.Rate = float64(len(all)) / seconds
	all = append(all, late...)
	if len(all) == 0 {
		return result
	}
	sort.Float64s(all)
	at := func(percentile float64) float64 {
		return all[int(math.Max(0, math.Ceil(percentile/100*float64(len(all)))-1))]
	}
	sum := 0.0
	for _, latency := range all {
		sum += latency
	}
	result.Mean = sum / float64(len(all))
	result.P50, result.P90, result.P99, result.P999, result.Max = at(50), at(90), at(99), at(99.9), at(100)
	return result
}

func ms(duration time.Duration) float64 {
	return float64(duration.Microseconds()) / 1000
}
