package checkup_test

import (
	"fmt"
	"os"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
)

// A report comes from Kit.Check; here it is made by hand.
func ExampleReport_Print() {
	report := checkup.Report{At: time.Now(), Findings: []checkup.Finding{
		checkup.Found("run-running", ""),
		checkup.Found("clock-skewed", "+45 s"),
	}}
	if err := report.Print(os.Stdout, "en"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// warning  clock-skewed
	//          the clock is more than 30 seconds off WeChat Pay's; at 5 minutes every signature fails
	//          (+45 s)
	//          → keep the clock on NTP (chrony or the like)
	// ok       run-running
	//          Kit.Run runs in this process
	// 0 errors, 1 warnings, 0 notes, 1 fine; took 0s
}
