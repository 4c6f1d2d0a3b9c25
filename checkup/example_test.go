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

// An app may add what it finds out itself, and decide by what weighs most.
func ExampleReport_From() {
	report := checkup.Report{Findings: []checkup.Finding{
		checkup.Found("run-running", ""),
		checkup.Found("clock-skewed", "+45 s"),
		{ID: "shelf-empty", Severity: checkup.Warning, Says: checkup.Text{ZH: "没有商品", EN: "there is nothing to sell"}},
	}}
	for _, f := range report.From(checkup.Warning) {
		fmt.Println(f.Severity, f.ID)
	}
	// Output:
	// warning clock-skewed
	// warning shelf-empty
}

// Whoever would rather not start asks for the error.
func ExampleReport_Err() {
	report := checkup.Report{Findings: []checkup.Finding{checkup.Found("clock-wrong", "+5 min")}}
	fmt.Println(report.Err())
	// Output: checkup: clock-wrong: the clock is more than 4 minutes off WeChat Pay's: signatures and notifications are refused (+5 min)
}

func ExampleReport_Has() {
	report := checkup.Report{Findings: []checkup.Finding{checkup.Found("wechat-simulated", "")}}
	fmt.Println(report.Has("wechat-simulated"), report.Has("clock-wrong"))
	// Output: true false
}

// A finding by its id, in both languages.
func ExampleFound() {
	f := checkup.Found("clock-skewed", "+45 s")
	fmt.Println(f.Severity, f.Remedy.ZH)
	// Output: warning 用 NTP（chrony 等）校准时钟
}

// Everything that a check can find, for a page or a translation.
func ExampleCatalogue() {
	for _, f := range checkup.Catalogue()[:1] {
		fmt.Println(f.Severity, f.ID, f.Remedy.EN)
	}
	// Output: error settings-wrong mend what the detail says and check again
}

func ExampleText_In() {
	says := checkup.Text{ZH: "没有商品", EN: "there is nothing to sell"}
	fmt.Println(says.In("zh"), says.In("en"))
	// Output: 没有商品 there is nothing to sell
}
