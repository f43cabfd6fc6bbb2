package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the handle that makes databases

	"onrecord/database"
)

// cluster are databases on a PostgreSQL server, made beside the one that was
// named.
type cluster struct {
	at    *url.URL
	admin *sql.DB
	own   string   // a folder
	stamp string   // keeps the databases of two runs apart
	made  []string // to be dropped
}

func newCluster(dsn string) (*cluster, error) {
	at, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the address of the database is not understood: write postgres://USER@HOST/DATABASE")
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	own, err := os.MkdirTemp("", "onrecord-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the keys: %w", err)
	}
	return &cluster{at: at, admin: admin, own: own, stamp: time.Now().UTC().Format("20060102150405.000")}, nil
}

func (c *cluster) open(ctx context.Context, name string, kept bool) (*database.DB, string, error) {
	name = "onrecord_bench_" + strings.ReplaceAll(name, "-", "_")
	if !kept {
		name += "_" + strings.ReplaceAll(c.stamp, ".", "")
	}
	var there bool
	if err := c.admin.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil {
		return nil, "", fmt.Errorf("looking for the database %s: %w", name, err)
	}
	if !there {
		if _, err := c.admin.ExecContext(ctx, `CREATE DATABASE `+name+` TEMPLATE template0`); err != nil {
			return nil, "", fmt.Errorf("making a database: %w (the role needs CREATEDB)", err)
		}
		if !kept {
			c.made = append(c.made, name)
		}
	}
	at := *c.at
	at.Path = "/" + name
	db, err := database.Open(ctx, at.String())
	return db, at.String(), err
}

// keyFile stays where the next run finds it for a database that is kept.
func (c *cluster) keyFile(name string, kept bool) string {
	if kept {
		return filepath.Join(os.TempDir(), "onrecord-bench-"+name+".key")
	}
	return filepath.Join(c.own, name+".key")
}

func (c *cluster) close() (err error) {
	for _, name := range c.made {
		if _, e := c.admin.ExecContext(context.Background(), `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); e != nil {
			err = errors.Join(err, fmt.Errorf("dropping the database %s: %w", name, e))
		}
	}
	return errors.Join(err, c.admin.Close(), os.RemoveAll(c.own))
}
