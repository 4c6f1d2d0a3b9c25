package wxapi

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"time"
)

// BillFile is a bill that was downloaded and found good, see
// [Client.TradeBill]. It lies in a file, so that a big one needs no memory, and
// is safe for concurrent use. Close removes it.
type BillFile struct {
	Summary BillSummary // of all rows

	limits  BillOptions
	file    *os.File
	size    int64 // of the file, as it came
	gzipped bool
}

func newBillFile(o BillOptions) (*BillFile, error) {
	file, err := os.CreateTemp(o.Dir, "wxpay-bill-*") // readable by its owner only
	if err != nil {
		return nil, err
	}
	return &BillFile{file: file, limits: o}, nil
}

// Rows reads the bill from its first row, any number of times. After an error,
// which is the disk's since the bill is good, there are no more rows.
func (b *BillFile) Rows() iter.Seq2[BillRow, error] {
	return func(yield func(BillRow, error) bool) {
		content, err := b.open(context.Background())
		if err != nil {
			yield(BillRow{}, err)
			return
		}
		for row, err := range newBillReader(content).rows() {
			if !yield(row, err) {
				return
			}
		}
	}
}

// WriteTo writes the bill as WeChat Pay made it, unpacked, for an archive.
func (b *BillFile) WriteTo(w io.Writer) (int64, error) {
	content, err := b.open(context.Background())
	if err != nil {
		return 0, err
	}
	return io.Copy(w, content)
}

// Close removes the file.
func (b *BillFile) Close() error {
	return errors.Join(b.file.Close(), os.Remove(b.file.Name()))
}

// receive takes the body of a download from its beginning, once per try.
func (b *BillFile) receive(body io.Reader) error {
	b.size = 0 // what a try before it left behind this size is never read
	from := bufio.NewReader(body)
	head, _ := from.Peek(2) // an error comes again below
	b.gzipped = isGzip(head)
	most := b.limits.MaxDownload
	if !b.gzipped {
		most = b.limits.MaxSize
	}
	most = min(most, math.MaxInt64-1)
	size, err := io.Copy(io.NewOffsetWriter(b.file, 0), io.LimitReader(from, most+1))
	if err != nil {
		return err
	}
	if size > most {
		return fmt.Errorf("%w: the download is longer than %d bytes", ErrBillDamaged, most)
	}
	b.size = size
	return nil
}

// open reads the bill unpacked, until ctx ends.
func (b *BillFile) open(ctx context.Context) (io.Reader, error) {
	var content io.Reader = io.NewSectionReader(b.file, 0, b.size)
	if b.gzipped {
		unpacked, err := gzip.NewReader(content)
		if err != nil {
			return nil, damage(err)
		}
		content = unpacked
	}
	return &billContent{ctx: ctx, from: content, left: b.limits.MaxSize}, nil
}

// billContent stops what unpacks to more than its limit, and tells a damaged
// bill from a disk that cannot be read.
type billContent struct {
	ctx  context.Context
	from io.Reader
	left int64
}

func (b *billContent) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnknown, err) // it may have been good
	}
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: it is longer than allowed", ErrBillDamaged)
	}
	if err != nil && err != io.EOF {
		err = damage(err)
	}
	return n, err
}

func damage(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return err
	}
	return fmt.Errorf("%w: unpack: %w", ErrBillDamaged, err)
}

// verify reads all of the bill. Another SHA1 explains everything else that may
// be wrong with it, so it is looked at first.
func (b *BillFile) verify(ctx context.Context, want, mchID string, day time.Time) error {
	content, err := b.open(ctx)
	if err != nil {
		return err
	}
	sum := sha1.New()
	content = io.TeeReader(content, sum)
	reader := newBillReader(content)
	parseErr := checkRows(reader, mchID, day)
	if _, err := io.Copy(io.Discard, content); err != nil { // what the reader left
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("%w: its SHA1 is %s, and of the file as it came %s; announced is %s",
			ErrBillDamaged, got, b.fileSHA1(), want)
	}
	b.Summary = reader.summary
	return parseErr
}

// fileSHA1 is for the error text: which bytes the announced one is over is not
// documented.
func (b *BillFile) fileSHA1() string {
	sum := sha1.New()
	if _, err := io.Copy(sum, io.NewSectionReader(b.file, 0, b.size)); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// checkRows reads every row, and sees that the bill is the one asked for: the
// answers say whose and of which day it is only in the rows.
func checkRows(reader *billReader, mchID string, day time.Time) error {
	payments, thatDay := 0, 0
	for row, err := range reader.rows() {
		if err != nil {
			return err
		}
		if row.MchID != "" && row.MchID != mchID {
			return fmt.Errorf("%w: line %d: another merchant's", ErrBillDamaged, reader.line)
		}
		if row.TradeState == StateSuccess {
			payments++
			if row.TradeTime.In(day.Location()).Format(time.DateOnly) == day.Format(time.DateOnly) {
				thatDay++
			}
		}
	}
	if payments > 0 && thatDay == 0 {
		return fmt.Errorf("%w: none of its payments is of %s", ErrBillDamaged, day.Format(time.DateOnly))
	}
	return nil
}
